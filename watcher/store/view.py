"""The books as they stand, for whoever only looks. What can also write (`Store`) is a view with more to it."""

from abc import ABC, abstractmethod
from collections.abc import Collection

from watcher.model.change import ChangeKind, RecordedChange
from watcher.model.ledger import TrackedCase, TrackedItem, TrackedNotice
from watcher.store.database.locks import Locks
from watcher.store.database.query import OpenReader
from watcher.store.queries import queries
from watcher.store.queries.views import AccountsView, OutboxView


class StoreReader(ABC):
    """Everything that can be seen. `where` names the database, for messages; `locks` tell who is at work on it.

    `shared`: several daemons may work on it; else one is enough. Every method raises `StoreUnusable`.
    """

    display_name: str
    shared: bool
    locks: Locks
    accounts: AccountsView
    outbox: OutboxView

    def __init__(self, queries: OpenReader) -> None:
        """Every method looks once."""
        self._looking = queries

    @abstractmethod
    def close(self) -> None:
        """Closes what is open of the database."""

    def tracked_cases(self, account: str | None = None, case_number: str | None = None) -> list[TrackedCase]:
        """Every case in the books (of this account, of this number), with its items and notices."""
        with self._looking() as ask:
            return queries.tracked_cases(ask, account, case_number)

    def case_numbers(self) -> list[str]:
        """The number of every case in the books, each once, in order."""
        with self._looking() as ask:
            return queries.case_numbers(ask)

    def history(
        self,
        *,
        accounts: Collection[str] | None = None,
        case_number: str | None = None,
        kinds: Collection[ChangeKind] | None = None,
        limit: int | None = None,
    ) -> list[RecordedChange]:
        """Every recorded change (of these accounts, this case, these kinds), newest first."""
        with self._looking() as ask:
            return queries.history(ask, accounts=accounts, case_number=case_number, kinds=kinds, limit=limit)

    def items(self) -> list[TrackedItem]:
        """Every pending item that was ever seen, in the order of its first sight."""
        with self._looking() as ask:
            return queries.items(ask)

    def notices(self, account: str | None = None) -> list[TrackedNotice]:
        """Every notice that was ever seen (of this account), in the order of its first sight."""
        with self._looking() as ask:
            return queries.notices(ask, account)
