"""Whether the database under the daemon is still the one it opened, and can be written to.

What may pass (a full disk, a read-only folder) is announced, and the daemon continues. If the database was deleted,
moved, or replaced, or a lock was, continuing would be wrong: the daemon ends, and the service manager restarts it.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock

import structlog

from watcher.app import App
from watcher.delivery.emergency_notice import EmergencyNotice
from watcher.errors import StoreLost, StoreUnusable

INTERVAL = timedelta(seconds=20)
"""Time between calls of `look`."""

_log = structlog.get_logger(__name__)


class DatabaseWatch:
    """Watches the database of a daemon. Thread-safe.

    `error` is why the database cannot be written, or None. `lost` is why the daemon must end, or None.
    """

    def __init__(self, app: App, on_lost: Callable[[], object]) -> None:
        """Look at nothing yet. `on_lost` is called once, when the daemon must end."""
        self._app, self._on_lost = app, on_lost
        self._notice = EmergencyNotice(app.notifier)
        self._lock = Lock()
        self.error: str | None = None
        self.lost: StoreLost | None = None

    def look(self) -> None:
        """Compare the files and probe a write. Called by the scheduler."""
        try:
            self._app.store.probe_writing()
        except StoreUnusable as error:
            if self.error is None:
                _log.error("database_unavailable", reason=str(error))
            self.error = str(error)
            self.failed(error, source="probe")
        else:
            if self.error is not None:
                _log.info("database_available")
            self.error = None
            self._notice.write_succeeded("probe", self._app.settings)

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
            self._notice.database_lost(str(error), self._app.settings)
            self._on_lost()

    def reconfigure(self, app: App) -> None:
        """Switch to another configuration of the same database."""
        self._app = app

    def _is_first(self, error: StoreLost) -> bool:
        with self._lock:
            is_first, self.lost = self.lost is None, self.lost or error
        return is_first
