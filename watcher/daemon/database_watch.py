"""Whether the database under the daemon is still the one it opened, and can be written to.

What may pass (a full disk, a read-only folder) is announced, and the daemon continues. If the database was deleted,
moved, replaced, or damaged, or a lock was lost, continuing would be wrong: the daemon ends, and the service manager
restarts it.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Lock

import structlog

from watcher.app import App
from watcher.delivery.emergency_notice import EmergencyNotice
from watcher.errors import StoreDamaged, StoreLost, StoreUnusable
from watcher.messages import _

INTERVAL = timedelta(seconds=20)
"""Time between calls of `look`."""

_EXAMINE_SHARE = 100  # a large database is examined for at most a hundredth of the time
_log = structlog.get_logger(__name__)


class DatabaseWatch:
    """Watches the database of a daemon. Thread-safe.

    `error` is why the database cannot be written, or None. `lost` is why the daemon must end, or None. `newest_ids` are
    the highest ids that were seen in tables that only grow; set them to what an earlier process has seen.
    """

    def __init__(self, app: App, on_lost: Callable[[StoreLost], object]) -> None:
        """Look at nothing yet. `on_lost` is called once, when the daemon must end."""
        self._app, self._on_lost = app, on_lost
        self._notice = EmergencyNotice(app.notifier)
        self._lock = Lock()
        self._seen: tuple[int, int] | None = None
        self._examine_after = 0.0
        self.newest_ids: tuple[int, ...] = (0, 0, 0)
        self.error: str | None = None
        self.lost: StoreLost | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the database can be written, and no notice about it is due."""
        return self.error is None and not self._notice.is_open

    def look(self) -> None:
        """Compare the files and probe a write. Called by the scheduler."""
        try:
            self._app.store.probe_writing()
            self._look_into_file()
        except StoreUnusable as error:
            if self.error is None:
                _log.error("database_unavailable", reason=str(error))
            self.error = str(error)
            self.failed(_as_lost(error) if isinstance(error, StoreDamaged) else error, source="probe")
        else:
            if self.error is not None:
                _log.info("database_available")
            self.error = None
            self._notice.write_succeeded("probe", self._app.settings)

    def _look_into_file(self) -> None:
        """Raise `StoreLost` if another program has written an older database into the file, or damage."""
        file = self._app.store.file
        if file is None:
            return
        newest, before = self._app.store.newest_ids(), self.newest_ids
        if any(now < then for now, then in zip(newest, before, strict=True)):
            text = _("{file} was overwritten with an older database while this program used it", file=file)
            raise StoreLost(text, in_place=True)
        self.newest_ids = newest
        self._examine_if_changed(file)

    def _examine_if_changed(self, file: Path) -> None:
        """Examine the file if it has changed: by SQLite, which writes to it rarely, or by another program."""
        if time.monotonic() < self._examine_after:
            return
        status = file.stat()
        seen = (status.st_size, status.st_mtime_ns)
        if self._seen not in (None, seen):
            started_at = time.monotonic()
            self._app.check_database()
            self._examine_after = time.monotonic() + _EXAMINE_SHARE * (time.monotonic() - started_at)
        self._seen = seen

    def check_succeeded(self) -> None:
        """Record that a check was written."""
        self._notice.write_succeeded("check", self._app.settings)

    def failed(self, error: StoreUnusable, *, source: str = "check") -> None:
        """Record why the database could not be used."""
        if not isinstance(error, StoreLost):
            self._notice.write_failed(source, str(error), self._app.settings, now=self._app.clock.now())
        elif self._is_first(error):
            _log.critical("database_lost", reason=str(error))
            self._app.context.stop.set()
            self._on_lost(error)

    def reconfigure(self, app: App) -> None:
        """Switch to another configuration of the same database."""
        self._app = app

    def _is_first(self, error: StoreLost) -> bool:
        with self._lock:
            is_first, self.lost = self.lost is None, self.lost or error
        return is_first


def _as_lost(error: StoreDamaged) -> StoreLost:
    """Return the error for a damaged database, which a restart refuses to use until it is restored."""
    return StoreLost(str(error), in_place=True)
