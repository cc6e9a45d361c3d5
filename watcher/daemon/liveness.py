"""How others learn that the daemon lives: systemd, whoever asks over HTTP, a service that waits for a heartbeat.

All of it is fed from one place that the scheduler comes round to, and that reads the database: a daemon that hangs
falls silent everywhere.
"""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from watcher.app import App
from watcher.daemon.sd_notify import ServiceManager
from watcher.errors import StoreUnusable, WatcherError
from watcher.model.account_health import ReadOutcome, ReadResult
from watcher.model.change import RecordedChange
from watcher.monitoring.heartbeat import Beat, Heartbeat, Rounds
from watcher.monitoring.metrics import Counters, exposition
from watcher.monitoring.service_status import ServiceStatus, service_status, status_line
from watcher.settings import HealthSettings

if TYPE_CHECKING:
    from watcher.monitoring.http_server import HealthServer

_EVERY = timedelta(seconds=30)
_SHORTEST = timedelta(seconds=1)
_MISSED = 4  # so many turns late, the scheduler counts as stuck
_log = structlog.get_logger(__name__)


class Liveness:
    """The daemon's signs of life. Safe to call from several threads."""

    def __init__(self, app: App, manager: ServiceManager) -> None:
        """Gives none before `start`."""
        self._app, self._manager = app, manager
        self._tally, self._rounds = Counters(), Rounds()
        self._turned = time.monotonic()
        self._server: HealthServer | None = None
        self._heartbeat: Heartbeat | None = None

    @property
    def every(self) -> timedelta:
        """How often `turn` is to be called: three times within what the service manager's watchdog waits for."""
        return max(min(self._manager.watchdog / 3, _EVERY), _SHORTEST) if self._manager.watchdog else _EVERY

    def start(self) -> None:
        """Opens the health page, where one is configured. Raises `WatcherError` where its address cannot be had."""
        self._open(self._app.settings.health)

    def turn(self) -> None:
        """The scheduler has come round. Where the database does not answer, the service manager hears nothing."""
        self._turned = time.monotonic()
        try:
            condition = self.condition()
        except StoreUnusable as error:
            _log.error("no sign of life: the books cannot be read", reason=str(error))
        else:
            self._manager.alive(status_line(condition))

    def during(self, app: App, name: str, read: Callable[[Callable[[], None]], ReadResult]) -> ReadResult:
        """Reads an account through `read`, counts what it came to, and lets the heartbeat tell of it.

        `read` calls what it is given when it begins; where another process has the turn, nothing is told here.
        """
        portal = app.settings.accounts[name].portal
        outcome: ReadOutcome | None = ReadOutcome.FAILED
        try:
            done = read(lambda: self._beat(self._rounds.began(name)))
            outcome = None if done.read_elsewhere else done.outcome
        finally:
            # A read that the daemon's own end cut off says nothing of the account.
            self._beat(self._rounds.ended(name, None if app.context.stop.is_set() else outcome))
        if not done.read_elsewhere:
            self._tally.read(portal, done.outcome.value)
            self._tally.changed(done.changes)
        return done

    def changed(self, changes: Iterable[RecordedChange]) -> None:
        """Counts what time alone has brought."""
        self._tally.changed(changes)

    def use(self, app: App) -> None:
        """Goes on with another configuration. An address that cannot be had is logged: reads matter more."""
        before, self._app = self._app.settings.health, app
        self._rounds.forget_all_but(frozenset(app.settings.accounts))
        if app.settings.health == before:
            return
        self._close()
        try:
            self._open(app.settings.health)
        except WatcherError as error:
            _log.error("the health page is not served", reason=str(error))

    def stop(self) -> None:
        """Gives the address back. The service manager is told by whoever ends the program."""
        self._close()

    def condition(self) -> ServiceStatus:
        """How the watcher is, from what stands in the books now. Raises `StoreUnusable`."""
        app = self._app
        app.store.ping()
        late = time.monotonic() - self._turned
        return service_status(
            app.settings,
            app.store.accounts.all(),
            app.store.outbox.counts(),
            now=app.clock.now(),
            scheduler_alive=late < _MISSED * self.every.total_seconds(),
        )

    def _open(self, health: HealthSettings) -> None:
        if health.heartbeat_url is not None:
            self._heartbeat = Heartbeat(health.heartbeat_url, wait=self._app.context.stop.wait)
            self._heartbeat.start()
        if health.listen:
            from watcher.monitoring.http_server import HealthServer  # noqa: PLC0415 - http.server and all, only where it is asked for

            self._server = HealthServer(
                health.listen, token=health.token, condition=self.condition, metrics=self._metrics
            )
            self._server.start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.stop()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self._server = self._heartbeat = None

    def _metrics(self) -> bytes:
        return exposition(self.condition(), self._tally)

    def _beat(self, beat: Beat | None) -> None:
        heartbeat = self._heartbeat
        if heartbeat is not None and beat is not None:
            heartbeat.send(beat)
