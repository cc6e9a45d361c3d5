"""Signs that a worker lives, for its supervisor, and that checks succeed, for a service that expects a heartbeat.

A sign of life comes from a regular job that reads the database, so a worker that hangs gives none.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

import structlog

from watcher.app import App
from watcher.daemon.database_watch import DatabaseWatch
from watcher.errors import StoreUnusable
from watcher.model.account_health import AccountHealth, ReadOutcome, ReadResult
from watcher.model.change import RecordedChange
from watcher.monitoring.heartbeat import CLOSE_LIMIT, Beat, CheckBatches, Heartbeat
from watcher.monitoring.metrics import Counters
from watcher.monitoring.reported_status import reported_status
from watcher.processes.channel import Message

_log = structlog.get_logger(__name__)

Send: TypeAlias = Callable[[Message], None]
"""Passes a message to the supervisor, see `watcher.daemon.worker`. Raises nothing."""


class Liveness:
    """A worker's signs of life. Thread-safe."""

    def __init__(self, app: App, database: DatabaseWatch, send: Send) -> None:
        """Start nothing yet."""
        self._app, self._database, self._send = app, database, send
        self._counters, self._batches = Counters(), CheckBatches()
        self._heartbeat: Heartbeat | None = None

    def start(self) -> None:
        """Start what is configured."""
        self._open()

    def give_sign(self) -> None:
        """Tell the supervisor that this process lives, and whether the database answers. Called by the scheduler."""
        try:
            self._app.store.ping()
        except StoreUnusable as error:
            _log.error("database_does_not_answer", reason=str(error))
            self._send({"is": "alive", "answers": False})
        else:
            self._send({"is": "alive", "answers": True})
            self.report()

    def report(self) -> None:
        """Tell the supervisor the state of the service, as far as it can be read."""
        app = self._app
        try:
            status = reported_status(
                app.settings,
                app.store.accounts.all(),
                app.store.outbox.counts(),
                database_writable=self._database.error is None,
            )
        except StoreUnusable:
            return
        self._send({"is": "report", "status": status.to_json(), "counters": self._counters.take()})

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
        _log_result(result)
        return result

    def count_changes(self, changes: Iterable[RecordedChange]) -> None:
        """Count changes that only time caused."""
        self._counters.count_changes(changes)

    def reconfigure(self, app: App) -> None:
        """Switch to another configuration."""
        before, self._app = self._app.settings.health, app
        if app.settings.health != before:
            self._close(heartbeat_wait=0.0)
            self._open()

    def stop(self) -> None:
        """Send the heartbeats that are queued, for a moment."""
        self._close()

    def _open(self) -> None:
        url = self._app.settings.health.heartbeat_url
        if url is not None:
            self._heartbeat = Heartbeat(url, wait=self._app.context.stop.wait)
            self._heartbeat.start()

    def _close(self, *, heartbeat_wait: float = CLOSE_LIMIT) -> None:
        if self._heartbeat is not None:
            self._heartbeat.close(heartbeat_wait)
        self._heartbeat = None

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


def _log_result(result: ReadResult) -> None:
    if result.read_elsewhere:
        _log.debug("account_checked_elsewhere", account=result.account)
        return
    log = _log.info if result.outcome is ReadOutcome.OK else _log.warning
    log(
        "account_checked",
        account=result.account,
        outcome=result.outcome.value,
        changes=len(result.changes),
        error=result.error,
    )
