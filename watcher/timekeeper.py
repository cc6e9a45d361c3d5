"""What time alone brings, written down: stalls, due dates, appointments, blindness. The shell around `remind`."""

from contextlib import suppress

from watcher.change import RecordedChange
from watcher.health import blindness
from watcher.means import Means
from watcher.remind import due
from watcher.store import Busy


def keep_time(means: Means) -> list[RecordedChange]:
    """Records what time has brought since it was last asked, and queues the alerts; each thing is told once.

    Where another process is just doing the same, nothing is left to do. Raises `StoreUnusable`.
    """
    recorded: list[RecordedChange] = []
    with suppress(Busy), means.store.locks.hold("time"):
        recorded += _reminders(means)
    for name in means.settings.accounts:
        with suppress(Busy), means.store.locks.hold(f"account {name}"):
            recorded += _blindness(means, name)
    return recorded


def _reminders(means: Means) -> list[RecordedChange]:
    settings = means.settings
    cases = means.watched_cases()
    snapshots = {(case.account, case.case_number): case.snapshot for case in cases}
    reminded = due(
        cases,
        stall=settings.stall,
        deadlines=settings.deadlines,
        appointments=settings.appointments,
        zone=settings.timezone,
        now=means.clock.now(),
        told=means.store.reminders(),
    )
    return [
        change
        for each in reminded
        for change in means.tell(
            settings.accounts[each.account],
            (each.change,),
            snapshot=snapshots[each.account, each.case_number],
            reminder=each.mark,
        )
    ]


def _blindness(means: Means, name: str) -> list[RecordedChange]:
    """A read that fails says so itself; this is for an account that has not been tried again since."""
    now = means.clock.now()
    health, changes = blindness(
        means.store.accounts.health(name, now), now=now, blind_after=means.settings.schedule.blind_after
    )
    return means.tell(means.settings.accounts[name], changes, health=health) if changes else []
