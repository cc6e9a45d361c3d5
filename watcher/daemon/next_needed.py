"""When a worker is next needed, so that none has to run until then."""

from datetime import datetime, timedelta

from watcher.app import App
from watcher.delivery.channel_health import next_channel_change
from watcher.remind.list_fetch import next_list_fetch
from watcher.remind.time_reminders import next_time_reminder
from watcher.store.backup.rotation import next_backup

HORIZON = timedelta(days=1)
"""How far ahead `next_needed` looks."""


def next_needed(app: App) -> datetime:
    """Return when something is next to be done because its time has come, `HORIZON` from now at the latest.

    A moment that is not in the future means now: a worker checks the accounts that are due, delivers, calls
    `app.record_time_reminders(at_any_hour=False)` and `app.back_up()`, and asks again before it ends. If something is
    still due then, because another process is doing it or it failed, the worker stays. Whatever another process writes
    to the database may bring the moment forward. Reads every case once, unless `next_work` is now. Raises
    `StoreUnusable`.
    """
    until = next_work(app)
    if until <= app.clock.now():
        return until
    return _earliest(until, next_time_reminder(app.context, until), next_channel_change(app.context, until))


def next_work(app: App) -> datetime:
    """Return when a check, an alert, a backup, or the fetch of a list is next due.

    As `next_needed`, but without the cost of reading cases. Raises `StoreUnusable`.
    """
    now, store = app.clock.now(), app.store
    stored = store.accounts.all()
    checks = (stored[name][1] if name in stored else None for name in app.settings.accounts)
    return _earliest(
        now + HORIZON,
        *(planned or now for planned in checks),
        store.outbox.next_needed(now),
        next_backup(app.settings, now=now),
        next_list_fetch(store, app.settings, now),
    )


def _earliest(latest: datetime, *others: datetime | None) -> datetime:
    return min([latest, *(moment for moment in others if moment is not None)])
