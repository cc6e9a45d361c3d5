"""The context of a command that only reads: settings, clock, and a view of the store."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from watcher.clock import Clock, SystemClock
from watcher.context.device_channels import with_devices
from watcher.context.opening import locks_folder, missing_database, open_store, watched_cases
from watcher.context.reference_lists import load_lists
from watcher.errors import StoreUnusable
from watcher.model.ledger import TrackedCase
from watcher.reference.lists import ReferenceLists
from watcher.settings import Settings
from watcher.settings.derived import database_url
from watcher.store import StoreReader
from watcher.store.readonly import open_read_only_store


@dataclass(frozen=True, kw_only=True)
class ReadOnlyContext:
    """One configuration and a view of its database."""

    store: StoreReader
    settings: Settings
    clock: Clock

    @cached_property
    def lists(self) -> ReferenceLists:
        """The published lists that cases are compared with."""
        return load_lists(self.store, self.settings, self.clock.now())

    @property
    def today(self) -> date:
        """The user's day."""
        return self.clock.now().astimezone(self.settings.timezone).date()

    def watched_cases(self) -> list[TrackedCase]:
        """Return the stored cases that the configuration still lists."""
        return watched_cases(self.store, self.settings)


@contextmanager
def open_read_only(settings: Settings) -> Iterator[ReadOnlyContext]:
    """Open the database for reading, and close it at the end. The settings have devices as channels.

    Uses the read-only store if that is possible, otherwise the store that also writes. Raises `StoreUnusable`.
    """
    store = open_read_only_store(database_url(settings), locks=locks_folder(settings)) or open_store(settings)
    with closing(store):
        yield ReadOnlyContext(store=store, settings=with_devices(settings, store), clock=SystemClock())


def settings_with_devices(settings: Settings) -> Settings:
    """Return the settings with devices as channels; without them if there is no database that can be used."""
    if missing_database(settings) is None:
        with suppress(StoreUnusable), open_read_only(settings) as context:
            return context.settings
    return settings
