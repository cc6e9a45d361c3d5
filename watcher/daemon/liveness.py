"""Signs that the daemon works, for systemd, for HTTP clients, and for a service that expects a heartbeat.

All of them depend on a regular job that reads the database, so a daemon that hangs becomes silent everywhere.
"""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from watcher.app import App
from watcher.daemon.database_watch import DatabaseWatch
from watcher.daemon.sd_notify import ServiceManager
from watcher.errors import StoreUnusable, WatcherError
from watcher.model.account_health import AccountHealth, ReadOutcome, ReadResult
from watcher.model.change import RecordedChange
from watcher.monitoring.heartbeat import CLOSE_LIMIT, Beat, CheckBatches, Heartbeat
from watcher.monitoring.metrics import Counters
from watcher.monitoring.reported_status import reported_status
from watcher.monitoring.service_status import ServiceStatus, status_line
from watcher.settings import HealthSettings

if TYPE_CHECKING:
    from watcher.monitoring.http_server import HealthServer

_INTERVAL = timedelta(seconds=30)
_MIN_INTERVAL = timedelta(seconds=1)
_MAX_MISSED = 4  # intervals without a notification after which the scheduler counts as stuck
_log = structlog.get_logger(__name__)


class Liveness:
    """The daemon's signs of life. Thread-safe."""

    def __init__(self, app: App, manager: ServiceManager, database: DatabaseWatch) -> None:
        """Start nothing yet."""
        self._app, self._manager, self._database = app, manager, database
        self._counters, self._batches = Counters(), CheckBatches()
        self._notified_at = time.monotonic()
        self._server: HealthServer | None = None
        self._heartbeat: Heartbeat | None = None

    @property
    def interval(self) -> timedelta:
        """Time between calls of `notify_manager`: a third of the watchdog's timeout, within bounds."""
        return max(min(self._manager.watchdog / 3, _INTERVAL), _MIN_INTERVAL) if self._manager.watchdog else _INTERVAL

    def start(self) -> None:
        """Start what is configured. Raises `WatcherError` if the health page's address cannot be used."""
        self._open(self._app.settings.health)

    def notify_manager(self) -> None:
        """Notify the service manager, unless the database does not answer. Called by the scheduler."""
        self._notified_at = time.monotonic()
        try:
            status = self.status()
        except StoreUnusable as error:
            _log.error("watchdog_not_notified", reason=str(error))
        else:
            self._manager.keep_alive(status_line(status))

    def run_check(self, app: App, name: str, check: Callable[[Callable[[], None]], ReadResult]) -> ReadResult:
        """Run `check` for an account, count its result, and send heartbeats.

        `check` calls its argument when it starts, and does not call it if another process checks the account.
        """
        portal = app.settings.accounts[name].portal
        outcome: ReadOutcome | None = ReadOutcome.FAILED
        try:
            result = check(lambda: self._beat(self._batches.started(name)))
            outcome = None if result.read_elsewhere else result.outcome
        finally:
            # A check that the daemon's shutdown interrupted says nothing about the account.
            outcome = None if app.context.stop.is_set() else outcome
            self._beat(self._batches.finished(name, outcome, partial(_stored_health, app)))
        if not result.read_elsewhere:
            self._counters.count_check(portal, result.outcome.value)
            self._counters.count_changes(result.changes)
        return result

    def count_changes(self, changes: Iterable[RecordedChange]) -> None:
        """Count changes that only time caused."""
        self._counters.count_changes(changes)

    def reconfigure(self, app: App) -> None:
        """Switch to another configuration. An unusable address is only logged, because checks matter more."""
        before, self._app = self._app.settings.health, app
        if app.settings.health == before:
            return
        self._close(heartbeat_wait=0.0)
        try:
            self._open(app.settings.health)
        except WatcherError as error:
            _log.error("health_page_unavailable", reason=str(error))

    def stop(self) -> None:
        """Close the health page and the heartbeat. The caller notifies the service manager."""
        self._close()

    def status(self) -> ServiceStatus:
        """Return the current status from the database. Raises `StoreUnusable`."""
        app = self._app
        app.store.ping()
        late = time.monotonic() - self._notified_at
        reported = reported_status(
            app.settings,
            app.store.accounts.all(),
            app.store.outbox.counts(),
            database_writable=self._database.error is None,
        )
        alive = late < _MAX_MISSED * self.interval.total_seconds()
        return ServiceStatus(at=app.clock.now(), reported=reported, scheduler_alive=alive)

    def _open(self, health: HealthSettings) -> None:
        if health.heartbeat_url is not None:
            self._heartbeat = Heartbeat(health.heartbeat_url, wait=self._app.context.stop.wait)
            self._heartbeat.start()
        if health.listen:
            from watcher.monitoring.http_server import HealthServer  # noqa: PLC0415 - http.server is loaded only if configured

            token = None if health.token is None else health.token.get_secret_value()
            self._server = HealthServer(health.listen, token=token, status=self.status, counters=self._counters)
            self._server.start()

    def _close(self, *, heartbeat_wait: float = CLOSE_LIMIT) -> None:
        if self._server is not None:
            self._server.stop()
        if self._heartbeat is not None:
            self._heartbeat.close(heartbeat_wait)
        self._server = self._heartbeat = None

    def _beat(self, beat: Beat | None) -> None:
        heartbeat = self._heartbeat
        if heartbeat is not None and beat is not None:
            heartbeat.send(beat)


def _stored_health(app: App) -> list[AccountHealth]:
    """Return what is stored about the configured accounts; nothing if the database cannot be read."""
    try:
        stored = app.store.accounts.all()
    except StoreUnusable:
        return []
    return [health for name, (health, _) in stored.items() if name in app.settings.accounts]
