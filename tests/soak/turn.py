"""The work that a soak repeats: what the daemon does round the clock, one thing after the other."""

from typing import Final

from watcher.app import App

ACCOUNT: Final = "api"


def read(app: App) -> None:
    """One read of the account; what nobody foresaw is a fault of the program, not of the portal."""
    done = app.poll(ACCOUNT)
    assert "unforeseen" not in (done.error or ""), done.error


def keep_time(app: App) -> None:
    app.record_time_reminders()


def deliver(app: App) -> None:
    app.outbox_worker().deliver_due()


TURN: Final = (read, keep_time, deliver)
"""Each may raise `StoreUnusable`, and keeps none of the others from its turn."""
