"""The state of the service as workers report it, for systemd's status line and for the health page."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from watcher.clock import Clock
from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.monitoring.metrics import Counters
from watcher.monitoring.reported_status import ReportedStatus
from watcher.monitoring.service_status import ServiceStatus, status_line
from watcher.processes.channel import Message

if TYPE_CHECKING:
    from watcher.monitoring.http_server import HealthServer


class HealthPage:
    """Keeps the newest report, and serves `/healthz` and `/metrics` if that is configured. Thread-safe.

    `is_alive` returns whether due work is done; `can_write` is false while the database at rest cannot be written.
    """

    def __init__(self, clock: Clock, is_alive: Callable[[], bool]) -> None:
        """Serve nothing yet."""
        self._clock, self._is_alive = clock, is_alive
        self._reported: ReportedStatus | None = None
        self._counters = Counters()
        self._address: tuple[str, str | None] = ("", None)
        self._server: HealthServer | None = None
        self.can_write = True

    def configure(self, listen: str, token: str | None) -> None:
        """Serve at this address, or nowhere if it is empty. Raises `WatcherError` if it cannot be used."""
        if (listen, token) == self._address:
            return
        self.close()
        self._address = (listen, token)
        if listen:
            from watcher.monitoring.http_server import HealthServer  # noqa: PLC0415 - http.server takes 7 MiB

            self._server = HealthServer(listen, token=token, status=self.status, counters=self._counters)
            self._start()

    def take_report(self, message: Message) -> None:
        """Keep what a worker reports."""
        self._counters.add(message["counters"])
        is_first, self._reported = self._reported is None, ReportedStatus.from_json(message["status"])
        if is_first:
            self._start()

    def _start(self) -> None:
        """Answer requests, once there is something to answer; until then the system lets clients wait."""
        if self._server is not None and self._reported is not None:
            self._server.start()

    def status(self) -> ServiceStatus:
        """Return the status of this moment. Raises `StoreUnusable` before the first report."""
        reported = self._reported
        if reported is None:
            raise StoreUnusable(_("nothing is known of the database yet"))
        reported = replace(reported, database_writable=reported.database_writable and self.can_write)
        return ServiceStatus(at=self._clock.now(), reported=reported, scheduler_alive=self._is_alive())

    def line(self) -> str:
        """Return the status in one line."""
        try:
            return status_line(self.status())
        except StoreUnusable:
            return _("starting")

    def close(self) -> None:
        """Stop to serve."""
        if self._server is not None:
            self._server.stop()
        self._server, self._address = None, ("", None)
