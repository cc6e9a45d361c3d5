"""The turn of an account that no program reads: a person is reminded to look, where it is time. The shell around that.

The recorded reminder itself is the memory of it: it is written in one transaction with its alerts, so that a kill
neither loses nor repeats one.
"""

from datetime import UTC, datetime

from watcher.context.context import Means
from watcher.model.change import Change, ChangeKind, RecordedChange, severity_of
from watcher.model.ledger import CaseStanding
from watcher.remind.manual_reminder import MOST_OFTEN, Looks, next_reminder
from watcher.settings import AccountSettings

_KIND = ChangeKind.LOOK_REMINDER
_AT_ONCE = datetime.min.replace(tzinfo=UTC)


def remind_to_look(account: AccountSettings, means: Means) -> list[RecordedChange]:
    """Reminds of each case whose time it is, and plans the account's next turn. Nothing is sent to any portal.

    The caller holds the account's lock.
    """
    now = means.clock.now()
    means.store.accounts.health(account.name, now)  # enters an account that is new to the books
    standings = {case.case_number: case for case in means.store.standings(account.name)}
    told: list[RecordedChange] = []
    for number in account.cases:
        case = standings.get(number)
        if (_due_at(account, number, case, means) or _AT_ONCE) <= now:
            told += means.tell(account, (_reminder(account, number, case),), snapshot=case.snapshot if case else None)
    plan_next_look(account, means)
    return told


def plan_next_look(account: AccountSettings, means: Means) -> None:
    """The account's next turn is when the next reminder of any of its cases is due."""
    standings = {case.case_number: case for case in means.store.standings(account.name)}
    turns = [_due_at(account, number, standings.get(number), means) for number in account.cases]
    means.store.accounts.set_next_read(account.name, min(turn or means.clock.now() for turn in turns))


def _due_at(account: AccountSettings, number: str, case: CaseStanding | None, means: Means) -> datetime | None:
    reminded = means.store.history(accounts=[account.name], case_number=number, kinds=[_KIND], limit=1)
    looks = Looks(
        looked_at=case.last_read_at if case else None,
        reminded_at=reminded[0].at if reminded else None,
    )
    return next_reminder(looks, every=account.every or max(means.settings.schedule.every, MOST_OFTEN))


def _reminder(account: AccountSettings, number: str, case: CaseStanding | None) -> Change:
    looked_at = case.last_read_at if case else None
    new = {"site": getattr(account, "site", None), "looked_at": looked_at.isoformat() if looked_at else None}
    return Change(kind=_KIND, severity=severity_of(_KIND), case_number=number, subject="look", new=new)
