"""Read access to everything stored, for code that only shows it. `Store` adds writing."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from watcher.model.change import ChangeKind, RecordedChange
from watcher.model.ledger import TrackedCase, TrackedItem, TrackedNotice, UserCase
from watcher.model.published_list import StoredList
from watcher.store.database.locks import Locks
from watcher.store.database.query import OpenReader
from watcher.store.queries import cases, changes, published_lists, user_cases
from watcher.store.queries.views import AccountsView, OutboxView, WebView


class StoreReader(ABC):
    """Everything stored. Every method sees one consistent state and raises `StoreUnusable`.

    `display_name` names the database in messages, `file` is its file with SQLite. `locks` show which work is in
    progress. `shared` is true if several daemons may use the database; otherwise only one may.
    """

    display_name: str
    file: Path | None
    shared: bool
    locks: Locks
    accounts: AccountsView
    outbox: OutboxView
    web: WebView

    def __init__(self, queries: OpenReader) -> None:
        self._queries = queries

    @abstractmethod
    def close(self) -> None:
        """Close the database."""

    def tracked_cases(self, account: str | None = None, case_number: str | None = None) -> list[TrackedCase]:
        """Return every case (of this account, of this number), with its items and notices."""
        with self._queries() as run:
            return cases.tracked_cases(run, account, case_number)

    def user_cases(self) -> dict[str, UserCase]:
        """Return what the user says about cases (label, person, finished), by normalized number."""
        with self._queries() as run:
            return user_cases.user_cases(run)

    def user_case(self, case_number: str) -> UserCase:
        """Return what the user says about the case with this number, as a portal writes it."""
        with self._queries() as run:
            return user_cases.user_case(run, case_number)

    def user_cases_of(self, case_numbers: Sequence[str]) -> dict[str, UserCase]:
        """Return what the user says about each of these cases, by their numbers."""
        with self._queries() as run:
            return user_cases.user_cases_of(run, case_numbers)

    def finished_numbers(self) -> frozenset[str]:
        """Return the normalized numbers of the cases that the user has finished."""
        with self._queries() as run:
            return user_cases.finished_numbers(run)

    def published_lists(self, *, with_content: bool = True) -> dict[str, StoredList]:
        """Return what is stored of the lists that were fetched, by name. Without `with_content`, that is left out."""
        with self._queries() as run:
            return published_lists.published_lists(run, with_content=with_content)

    def case_numbers(self) -> list[str]:
        """Return the number of every case, once and in order."""
        with self._queries() as run:
            return cases.case_numbers(run)

    def history(
        self,
        *,
        accounts: Collection[str] | None = None,
        case_number: str | None = None,
        case_numbers: Collection[str] | None = None,
        kinds: Collection[ChangeKind] | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[RecordedChange]:
        """Return every recorded change (of these accounts, cases, kinds, from this moment on), newest first."""
        with self._queries() as run:
            return changes.history(
                run,
                accounts=accounts,
                case_number=case_number,
                case_numbers=case_numbers,
                kinds=kinds,
                since=since,
                limit=limit,
            )

    def items(self) -> list[TrackedItem]:
        """Return every pending item ever seen, in the order in which they were first seen."""
        with self._queries() as run:
            return cases.items(run)

    def notices(self, account: str | None = None) -> list[TrackedNotice]:
        """Return every notice ever seen (of this account), in the order in which they were first seen."""
        with self._queries() as run:
            return cases.notices(run, account)
