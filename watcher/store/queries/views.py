"""Read access to accounts and to the outbox, for commands that only show something."""

from collections.abc import Sequence
from datetime import datetime

from watcher.model.account_health import AccountHealth
from watcher.model.alert import Alert, AlertState
from watcher.model.change import RecordedChange
from watcher.store.database.query import OpenReader
from watcher.store.queries import accounts, changes, outbox


class AccountsView:
    """Accounts by name. Every method sees one consistent state."""

    def __init__(self, queries: OpenReader) -> None:
        self._queries = queries

    def all(self) -> dict[str, tuple[AccountHealth, datetime | None]]:
        """Return health and next check of every account by name."""
        with self._queries() as run:
            return accounts.all_accounts(run)


class OutboxView:
    """Alerts by their state. Every method sees one consistent state."""

    def __init__(self, queries: OpenReader) -> None:
        self._queries = queries

    def list(self, *, limit: int | None = None, state: AlertState | None = None) -> Sequence[Alert]:
        """Return alerts (in this state), newest first."""
        with self._queries() as run:
            return outbox.alerts(run, limit=limit, state=state)

    def find(self, number: int) -> tuple[Alert, Sequence[RecordedChange]] | None:
        """Return the alert with this number and the changes it is about, oldest first; None if there is none."""
        with self._queries() as run:
            found = outbox.alerts(run, number=number)
            return (found[0], changes.with_ids(run, found[0].change_ids)) if found else None

    def counts(self) -> dict[AlertState, int]:
        """Return how many alerts there are in each state."""
        with self._queries() as run:
            return outbox.alert_counts(run)
