"""Remind a person to check the accounts that the program cannot check itself.

The recorded reminder also says when the last one was sent. It is written in one transaction with its alerts, so a kill
neither loses nor repeats a reminder.
"""

from datetime import UTC, datetime, timedelta

from watcher.clock.timestamps import iso_text
from watcher.context.context import Context
from watcher.context.wrong_clock import is_undone, recorded_set_backs
from watcher.model.change import Change, ChangeKind, RecordedChange, severity_of
from watcher.model.ledger import TrackedCase
from watcher.remind.manual_reminder import MIN_REPEAT, ManualChecks, next_reminder
from watcher.settings import AccountSettings
from watcher.text.case_numbers import normalized_number

_KIND = ChangeKind.LOOK_REMINDER
_NOW = datetime.min.replace(tzinfo=UTC)


def remind_manual_checks(account: AccountSettings, context: Context) -> list[RecordedChange]:
    """Record a reminder for each case that is due, and plan the account's next check. Sends no request to a portal.

    The caller holds the account's lock.
    """
    now = context.clock.now()
    context.store.accounts.health(account.name, now)  # adds an account that is new to the store
    cases = _cases_by_number(account, context)
    recorded: list[RecordedChange] = []
    for number in _watched(account, context):
        case = cases.get(number)
        if (_due_at(account, number, case, context) or _NOW) <= now:
            reminder = _reminder(account, number, case)
            recorded += context.record_changes(account, (reminder,), snapshot=case.snapshot if case else None)
    plan_next_manual_check(account, context)
    return recorded


def plan_next_manual_check(account: AccountSettings, context: Context) -> None:
    """Store the time of the account's next check: when the first reminder of any of its cases is due."""
    cases, now = _cases_by_number(account, context), context.clock.now()
    due = [_due_at(account, number, cases.get(number), context) or now for number in _watched(account, context)]
    context.store.accounts.set_next_read(account.name, min(due, default=now + _every(account, context)))


def _watched(account: AccountSettings, context: Context) -> list[str]:
    """Return the numbers of the account's cases that are not finished."""
    finished = context.store.finished_numbers()
    return [number for number in account.cases if normalized_number(number) not in finished]


def _cases_by_number(account: AccountSettings, context: Context) -> dict[str, TrackedCase]:
    return {case.case_number: case for case in context.store.tracked_cases(account.name)}


def _due_at(account: AccountSettings, number: str, case: TrackedCase | None, context: Context) -> datetime | None:
    set_backs = recorded_set_backs(context)
    reminders = context.store.history(
        accounts=[account.name], case_number=number, kinds=[_KIND], limit=None if set_backs else 1
    )
    valid = (reminder for reminder in reminders if not is_undone(reminder, set_backs))
    checks = ManualChecks(
        checked_at=case.last_read_at if case else None,
        reminded_at=next((reminder.at for reminder in valid), None),
    )
    return next_reminder(checks, every=_every(account, context))


def _every(account: AccountSettings, context: Context) -> timedelta:
    return account.every or max(context.settings.schedule.every, MIN_REPEAT)


def _reminder(account: AccountSettings, number: str, case: TrackedCase | None) -> Change:
    new = {"site": getattr(account, "site", None), "looked_at": iso_text(case.last_read_at if case else None)}
    return Change(kind=_KIND, severity=severity_of(_KIND), case_number=number, subject="look", new=new)
