"""What the supervisor watches while no worker runs: the database and the clock."""

import logging
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from watcher.clock import Clock
from watcher.errors import StoreLost, StoreUnusable
from watcher.store.database.daemon_lock import hold_daemon_lock
from watcher.store.database.locks import FileLocks
from watcher.store.database.resting_database import RestingDatabase

_CLOCK_TOLERANCE = timedelta(seconds=1)
_log = logging.getLogger(__name__)


class Rest:
    """The time between two workers.

    `has_news`: something has happened that a worker must see. `must_examine`: another program has written to the
    database's file. `set_back_by` is how far the clock was set back. `can_write` is false if the disk takes no data.
    `database` is None if it is on a server, or not open yet.
    """

    def __init__(self, clock: Clock) -> None:
        """Watch nothing yet."""
        self._clock, self._last_now = clock, clock.now()
        self._locks = ExitStack()
        self.database: RestingDatabase | None = None
        self.has_news = self.can_write = True
        self.must_examine = False
        self.set_back_by = timedelta()

    def open(self, file: Path, locks: FileLocks) -> None:
        """Take the lock of the daemon, and open the database. If it is open, verify that it is still the same.

        Raises `Busy` if another daemon runs, and `StoreUnusable`.
        """
        if self.database is None:
            self._locks.enter_context(hold_daemon_lock(locks, file))
            self.database = RestingDatabase(file, locks)
        self.database.verify()

    def look(self, *, no_worker: bool) -> None:
        """Compare the files, and if no worker runs, notice what has happened. Raises `StoreLost`."""
        self._look_at_clock()
        database = self.database
        if database is None:
            return
        try:
            database.verify()
            if no_worker:
                database.probe()
                is_written = database.has_news()
                self.must_examine |= not is_written and database.was_overwritten()
                self.has_news |= is_written or self.must_examine
            self.can_write = True
        except StoreLost:
            raise
        except StoreUnusable as error:
            if self.can_write:
                _log.error("database_unavailable", extra={"reason": str(error)})
            self.can_write, self.has_news = False, True  # a worker announces it

    def wake(self) -> None:
        """Note that a worker must see something."""
        self.has_news = True

    def _look_at_clock(self) -> None:
        """Notice that the clock was set back. A worker that runs may end without having noticed it."""
        set_back_by, self._last_now = self._last_now - self._clock.now(), self._clock.now()
        if set_back_by > _CLOCK_TOLERANCE:
            self.set_back_by += set_back_by
            self.has_news = True

    def begin(self) -> None:
        """Note what the database holds, at a moment after which the worker only reads: what differs is another's."""
        try:
            if self.database is not None:
                self.database.note_content()
        except StoreUnusable:
            self.has_news = True

    def end(self) -> None:
        """Note that a worker has taken up what was noticed."""
        self.must_examine, self.set_back_by = False, timedelta()

    def __enter__(self) -> Self:
        """Release the locks at the end of the block. Close the database before, unless it is lost."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._locks.close()
