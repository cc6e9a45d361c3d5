"""What a command that only reads sees of the accounts and of the outbox."""

from collections.abc import Sequence
from datetime import datetime

from watcher.model.account_health import AccountHealth
from watcher.model.alert import Alert, AlertState
from watcher.store.database.query import OpenReader
from watcher.store.queries import queries


class AccountsView:
    """What is known of accounts."""

    def __init__(self, queries: OpenReader) -> None:
        """Every method looks once."""
        self._looking = queries

    def all(self) -> dict[str, tuple[AccountHealth, datetime | None]]:
        """Health and next read of every account in the books."""
        with self._looking() as ask:
            return queries.known_accounts(ask)


class OutboxView:
    """Alerts by their state."""

    def __init__(self, queries: OpenReader) -> None:
        """Every method looks once."""
        self._looking = queries

    def list(self, *, limit: int | None = None, state: AlertState | None = None) -> Sequence[Alert]:
        """Alerts, newest first."""
        with self._looking() as ask:
            return queries.alerts(ask, limit=limit, state=state)

    def counts(self) -> dict[AlertState, int]:
        """How many alerts there are in each state."""
        with self._looking() as ask:
            return queries.alert_counts(ask)
