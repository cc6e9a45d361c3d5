"""Remind a person to hand over an account, and report it as blind if they have not for long.

Called when the account is due, in place of a check. What is recorded also says when the last reminder was sent.
"""

from datetime import datetime

from watcher.clock.timestamps import iso_text, utc_text
from watcher.context.context import Context
from watcher.context.wrong_clock import is_undone, recorded_set_backs
from watcher.model.account_health import AccountHealth, handed_over_health, report
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of
from watcher.remind.handover_reminder import Handovers, calm_moment, next_reminder
from watcher.settings.handover import HandoverAccount, handover_interval, reminder_hour
from watcher.text.case_numbers import normalized_number

_KINDS = (ChangeKind.LOOK_REMINDER, ChangeKind.BLIND)


def remind_handover(account: HandoverAccount, context: Context) -> list[RecordedChange]:
    """Record the reminder that is due, if one is, and plan the next. Sends no request to a portal.

    The caller holds the account's lock.
    """
    now = context.clock.now()
    stored = context.store.accounts.health(account.name, now)
    health, changes = handed_over_health(stored), tuple[Change, ...]()
    if not _is_finished(account, context):
        past = _past(account, health, context)
        if _blind_at(account, past, context, now) <= now:
            health, changes = report(health, ChangeKind.BLIND, _silence(past))
        if not changes and _reminder_at(account, past, context, now) <= now:
            changes = (_reminder(past, context, now),)
    recorded: list[RecordedChange] = []
    if changes or health != stored:
        recorded = context.record_changes(account, changes, health=health)
    plan_next_reminder(account, context)
    return recorded


def plan_next_reminder(account: HandoverAccount, context: Context) -> None:
    """Store when the account is due next: for a reminder, or because it will have gone blind."""
    now = context.clock.now()
    health = context.store.accounts.health(account.name, now)
    past = _past(account, health, context)
    planned = [_reminder_at(account, past, context, now)]
    if ChangeKind.BLIND not in health.notified:
        planned.append(_blind_at(account, past, context, now))
    if _is_finished(account, context):
        planned = [now + handover_interval(account)]
    context.store.accounts.set_next_read(account.name, min(planned))


def _past(account: HandoverAccount, health: AccountHealth, context: Context) -> Handovers:
    set_backs = recorded_set_backs(context)
    reminders = context.store.history(accounts=[account.name], kinds=_KINDS, limit=None if set_backs else 1)
    valid = (reminder for reminder in reminders if not is_undone(reminder, set_backs))
    return Handovers(
        added_at=health.first_seen_at,
        handed_over_at=health.last_read_at,
        reminded_at=next((reminder.at for reminder in valid), None),
    )


def _reminder_at(account: HandoverAccount, past: Handovers, context: Context, now: datetime) -> datetime:
    return next_reminder(
        past,
        every=handover_interval(account),
        at=reminder_hour(account, context.settings),
        zone=context.settings.timezone,
        now=now,
    )


def _blind_at(account: HandoverAccount, past: Handovers, context: Context, now: datetime) -> datetime:
    earliest = max(past.silent_since + account.longest_silence, now)
    return calm_moment(earliest, at=reminder_hour(account, context.settings), zone=context.settings.timezone)


def _is_finished(account: HandoverAccount, context: Context) -> bool:
    """Return whether the user has finished all cases of the account."""
    known = account.cases or [case.case_number for case in context.store.tracked_cases(account.name)]
    finished = context.store.finished_numbers()
    return bool(known) and all(normalized_number(number) in finished for number in known)


def _reminder(past: Handovers, context: Context, now: datetime) -> Change:
    kind, zone = ChangeKind.LOOK_REMINDER, context.settings.timezone
    days: Json = None
    if past.handed_over_at is not None:
        days = (now.astimezone(zone).date() - past.handed_over_at.astimezone(zone).date()).days
    new: Json = {"handover": True, "days": days, "looked_at": iso_text(past.handed_over_at)}
    return Change(kind=kind, severity=severity_of(kind), new=new)


def _silence(past: Handovers) -> Json:
    return {"handover": True, "since": utc_text(past.silent_since)}
