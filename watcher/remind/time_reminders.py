"""What time alone brings, written down: stalls, due dates, appointments, blindness. The shell around `remind`."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import time, timedelta
from itertools import groupby

import structlog

from watcher.context.context import Context
from watcher.errors import SettingsFaults
from watcher.model.account_health import check_blindness
from watcher.model.change import RecordedChange
from watcher.remind.due_now import due
from watcher.settings import StallSettings
from watcher.settings.processing_times import read_processing_times
from watcher.store import Busy

MORNING = time(8)
"""In the user's zone. What is counted in days would come due at midnight; nobody is better off woken for it."""

_log = structlog.get_logger(__name__)


def record_time_reminders(context: Context, *, at_any_hour: bool = True) -> list[RecordedChange]:
    """Records what time has brought since it was last asked, and queues the alerts; each thing is told once.

    What time brings to one case at once is one alert. Whoever asks gets all of it; the daemon, which looks round the
    clock, asks with `at_any_hour` false: then what is counted in days waits for `MORNING`. Where another process is
    just doing the same, nothing is left to do. Raises `StoreUnusable`.
    """
    recorded: list[RecordedChange] = []
    with suppress(Busy), context.store.locks.acquire("time"):
        recorded += _reminders(context, at_any_hour=at_any_hour)
    for name in context.settings.accounts:
        with suppress(Busy), context.store.locks.acquire(f"account {name}"):
            recorded += _blindness(context, name)
    return recorded


def _reminders(context: Context, *, at_any_hour: bool) -> list[RecordedChange]:
    settings, now = context.settings, context.clock.now()
    behind = (
        context.store.restore_marks.accounts_behind()
    )  # what a restored backup says of them is out of date until the next read
    cases = [case for case in context.watched_cases() if case.account not in behind]
    snapshots = {(case.account, case.case_number): case.snapshot for case in cases}
    reminded = due(
        cases,
        stall=settings.stall,
        deadlines=settings.deadlines,
        appointments=settings.appointments,
        zone=settings.timezone,
        now=now,
        told=context.store.reminders(),
        published=_published(settings.stall),
        by_day=at_any_hour or now.astimezone(settings.timezone).time() >= MORNING,
    )
    recorded: list[RecordedChange] = []
    for (account, number), group in groupby(reminded, key=lambda each: (each.account, each.case_number)):
        of_case = tuple(group)
        recorded += context.record_changes(
            settings.accounts[account],
            tuple(each.change for each in of_case),
            snapshot=snapshots[account, number],
            reminders=tuple(each.sent_reminder for each in of_case),
        )
    return recorded


def _published(stall: StallSettings) -> Mapping[str, timedelta]:
    """The processing times as they stand in the file now: it is looked at each time, so that it can be kept up to date.

    A fault in it was told at the start; one that came later costs the file's times, not the reminders.
    """
    if stall.published_file is None:
        return stall.published
    try:
        return {**stall.published, **read_processing_times(stall.published_file)}
    except SettingsFaults as faults:
        _log.warning("the published processing times were not taken", reason=str(faults))
        return stall.published


def _blindness(context: Context, name: str) -> list[RecordedChange]:
    """A read that fails says so itself; this is for an account that has not been tried again since."""
    now = context.clock.now()
    health, changes = check_blindness(
        context.store.accounts.health(name, now), now=now, blind_after=context.settings.schedule.blind_after
    )
    return context.record_changes(context.settings.accounts[name], changes, health=health) if changes else []
