"""Record the changes that only time causes: stalls, due dates, appointments, and accounts that have gone blind."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from watcher.context.context import Context
from watcher.context.reference_lists import load_lists
from watcher.context.wrong_clock import correct_wrong_clock
from watcher.errors import LockLost, SettingsFaults
from watcher.model.account_health import check_blindness
from watcher.model.change import RecordedChange
from watcher.model.ledger import TrackedCase
from watcher.model.overdue_check import is_overdue
from watcher.remind.due_now import due_reminders, is_after_morning
from watcher.remind.list_fetch import fetch_lists
from watcher.remind.list_problems import record_list_problems
from watcher.remind.next_reminder import next_blindness, next_reminder
from watcher.settings import StallSettings
from watcher.settings.processing_times import read_processing_times
from watcher.store import Busy

_BEGINNING = 3.0  # real seconds
_log = structlog.get_logger(__name__)


def record_time_reminders(context: Context, *, at_any_hour: bool = True) -> list[RecordedChange]:
    """Record each reminder that is due and each account that has gone blind, once, and queue the alerts.

    Stored moments are corrected first if the clock was ahead, and published lists are fetched if they are due. The
    reminders of one case make one alert. Without `at_any_hour`, which is how the daemon calls this all day, reminders
    counted in days wait for `MORNING`. Does nothing while another process does the same. Raises `StoreUnusable`.
    """
    recorded = correct_wrong_clock(context)
    fetch_lists(context)
    with suppress(Busy, LockLost), context.store.locks.acquire("time") as held:
        recorded += _reminders(replace(context, held=held), at_any_hour=at_any_hour)
    for name in _checked_accounts(context):
        with suppress(Busy, LockLost):
            recorded += _blindness(context, name)
    return recorded


def _reminders(context: Context, *, at_any_hour: bool) -> list[RecordedChange]:
    settings, now = context.settings, context.clock.now()
    cases = _cases(context)
    snapshots = {(case.account, case.case_number): case.snapshot for case in cases}
    lists = load_lists(context.store, settings, now)
    due = due_reminders(
        cases,
        stall=settings.stall,
        deadlines=settings.deadlines,
        appointments=settings.appointments,
        zone=settings.timezone,
        office_zone=settings.office_zone,
        now=now,
        sent=context.store.reminders(),
        published=_published(settings.stall),
        lists=lists,
        include_days=at_any_hour or is_after_morning(now, settings.timezone),
    )
    recorded = record_list_problems(context, lists)
    for (account, number), reminders in groupby(due, key=lambda reminder: (reminder.account, reminder.case_number)):
        of_case = tuple(reminders)
        recorded += context.record_changes(
            settings.accounts[account],
            tuple(reminder.change for reminder in of_case),
            snapshot=snapshots[account, number],
            reminders=tuple(reminder.sent_reminder for reminder in of_case),
        )
    return recorded


def next_time_reminder(context: Context, until: datetime) -> datetime | None:
    """Return when `record_time_reminders` next has something to record in the daemon; None if nothing by `until`.

    A moment that is not in the future: now. Raises `StoreUnusable`.
    """
    settings, now, store = context.settings, context.clock.now(), context.store
    checked = set(_checked_accounts(context))
    accounts = [stored for name, stored in store.accounts.all().items() if name in checked]
    moments = (
        next_blindness(accounts, blind_after=settings.schedule.blind_after, now=now, until=until),
        next_reminder(
            _cases(context),
            settings=settings,
            sent=store.reminders(),
            now=now,
            until=until,
            lists=load_lists(store, settings, now),
        ),
    )
    return min((moment for moment in moments if moment is not None), default=None)


def _checked_accounts(context: Context) -> list[str]:
    """Return the accounts that checks can fail for; those that a person hands over have their own rhythm."""
    return [name for name, account in context.settings.accounts.items() if not account.is_handed_over]


def _cases(context: Context) -> list[TrackedCase]:
    """Return the cases that have reminders.

    After a restore, what the store has of some accounts is out of date until their next check.
    """
    behind = context.store.restore_marks.accounts_behind()
    return [case for case in context.watched_cases() if case.account not in behind]


def _published(stall: StallSettings) -> Mapping[str, timedelta]:
    """Return the processing times. The file is read each time, so that users can update it while the daemon runs.

    Faults in it are reported at the start. A fault that appears later disables the file's times, not the reminders.
    """
    if stall.published_file is None:
        return stall.published
    try:
        return {**stall.published, **read_processing_times(stall.published_file)}
    except SettingsFaults as faults:
        _log.warning("processing_times_ignored", reason=str(faults))
        return stall.published


def _blindness(context: Context, name: str) -> list[RecordedChange]:
    """Detect an account that has gone blind between two checks. A check that fails detects it itself.

    A check that hangs cannot, and holds the account's lock. Raises `Busy` while a check is under way that does not.
    """
    lock = f"account {name}"
    try:
        with context.store.locks.acquire(lock) as held:
            return _record_blindness(replace(context, held=held), name)
    except Busy:
        if not _hangs(context, name):
            raise
    # A check that has begun this moment sets the time of the next one before this wait is over.
    with suppress(Busy), context.store.locks.acquire(lock, wait=_BEGINNING, stop=context.stop):
        return []
    with context.store.locks.acquire("time") as held:
        return _record_blindness(replace(context, held=held), name, hangs=_hangs(context, name))


def _hangs(context: Context, name: str) -> bool:
    next_read_at = context.store.accounts.next_read(name)
    return is_overdue(next_read_at, now=context.clock.now(), blind_after=context.settings.schedule.blind_after)


def _record_blindness(context: Context, name: str, *, hangs: bool = False) -> list[RecordedChange]:
    now, blind_after = context.clock.now(), context.settings.schedule.blind_after
    health, changes = check_blindness(
        context.store.accounts.health(name, now), now=now, blind_after=blind_after, hangs=hangs
    )
    if not changes:
        return []
    return context.record_changes(context.settings.accounts[name], changes, health=health, only_notified=hangs)
