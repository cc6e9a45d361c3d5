"""The work that a soak test repeats: what the daemon does, one step after the other."""

from typing import Final

from watcher.app import App

ACCOUNT: Final = "api"


def read(app: App) -> None:
    """Check the account once. An unexpected exception is a defect of the program, not of the portal."""
    done = app.poll(ACCOUNT)
    assert "unforeseen" not in (done.error or ""), done.error


def keep_time(app: App) -> None:
    app.record_time_reminders()


def deliver(app: App) -> None:
    app.outbox_worker().deliver_due()


TURN: Final = (read, keep_time, deliver)
"""Each step may raise `StoreUnusable`, which does not prevent the others."""
