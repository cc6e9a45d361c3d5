"""The context of a command that only reads: settings, clock, and a view of the store."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from watcher.clock import Clock, SystemClock
from watcher.context.opening import locks_folder, open_store, watched_cases
from watcher.model.ledger import CaseStanding
from watcher.settings import Settings
from watcher.settings.derived import database_url
from watcher.store import View
from watcher.store.readonly import glance_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One configuration and what has been written down for it."""

    store: View
    settings: Settings
    clock: Clock

    def watched_cases(self) -> list[CaseStanding]:
        """The cases in the books that the configuration still asks for."""
        return watched_cases(self.store, self.settings)


@contextmanager
def open_books(settings: Settings) -> Iterator[Books]:
    """Opens the database to be looked into, and closes it at the end.

    At a glance where that is enough; else the store is opened, as by what writes. Raises `StoreUnusable`.
    """
    store = glance_at(database_url(settings), locks=locks_folder(settings)) or open_store(settings)
    with closing(store):
        yield Books(store=store, settings=settings, clock=SystemClock())
