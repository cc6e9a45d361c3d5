"""The turn of an account that no program reads: a person is reminded to look, where it is time. The shell around that.

The recorded reminder itself is the memory of it: it is written in one transaction with its alerts, so that a kill
neither loses nor repeats one.
"""

from datetime import UTC, datetime

from watcher.clock.timestamps import iso_text
from watcher.context.context import Context
from watcher.model.change import Change, ChangeKind, RecordedChange, severity_of
from watcher.model.ledger import TrackedCase
from watcher.remind.manual_reminder import MOST_OFTEN, ManualChecks, next_reminder
from watcher.settings import AccountSettings

_KIND = ChangeKind.LOOK_REMINDER
_AT_ONCE = datetime.min.replace(tzinfo=UTC)


def remind_manual_checks(account: AccountSettings, context: Context) -> list[RecordedChange]:
    """Reminds of each case whose time it is, and plans the account's next turn. Nothing is sent to any portal.

    The caller holds the account's lock.
    """
    now = context.clock.now()
    context.store.accounts.health(account.name, now)  # enters an account that is new to the books
    standings = {case.case_number: case for case in context.store.tracked_cases(account.name)}
    told: list[RecordedChange] = []
    for number in account.cases:
        case = standings.get(number)
        if (_due_at(account, number, case, context) or _AT_ONCE) <= now:
            told += context.record_changes(
                account, (_reminder(account, number, case),), snapshot=case.snapshot if case else None
            )
    plan_next_manual_check(account, context)
    return told


def plan_next_manual_check(account: AccountSettings, context: Context) -> None:
    """The account's next turn is when the next reminder of any of its cases is due."""
    standings = {case.case_number: case for case in context.store.tracked_cases(account.name)}
    turns = [_due_at(account, number, standings.get(number), context) for number in account.cases]
    context.store.accounts.set_next_read(account.name, min(turn or context.clock.now() for turn in turns))


def _due_at(account: AccountSettings, number: str, case: TrackedCase | None, context: Context) -> datetime | None:
    reminded = context.store.history(accounts=[account.name], case_number=number, kinds=[_KIND], limit=1)
    looks = ManualChecks(
        looked_at=case.last_read_at if case else None,
        reminded_at=reminded[0].at if reminded else None,
    )
    return next_reminder(looks, every=account.every or max(context.settings.schedule.every, MOST_OFTEN))


def _reminder(account: AccountSettings, number: str, case: TrackedCase | None) -> Change:
    looked_at = case.last_read_at if case else None
    new = {"site": getattr(account, "site", None), "looked_at": iso_text(looked_at)}
    return Change(kind=_KIND, severity=severity_of(_KIND), case_number=number, subject="look", new=new)
