"""The state of the service as workers report it, for systemd's status line and for the page's process."""

from collections.abc import Callable
from dataclasses import replace

from watcher.clock import Clock
from watcher.messages import _
from watcher.monitoring.metrics import Counters
from watcher.monitoring.reported_status import ReportedStatus
from watcher.monitoring.service_status import ServiceStatus, status_line
from watcher.processes.channel import Message


class ServiceReport:
    """Keeps the newest report.

    `is_alive` returns whether due work is done; `can_write` is false while the database at rest cannot be written.
    """

    def __init__(self, clock: Clock, is_alive: Callable[[], bool]) -> None:
        """Know nothing yet."""
        self._clock, self._is_alive = clock, is_alive
        self._reported: ReportedStatus | None = None
        self._counters = Counters()
        self.can_write = True

    @property
    def is_known(self) -> bool:
        """Whether a worker has reported."""
        return self._reported is not None

    def take(self, message: Message) -> None:
        """Keep what a worker reports."""
        self._counters.add(message["counters"])
        self._reported = ReportedStatus.from_json(message["status"])

    def message(self) -> Message:
        """Return the state of this moment, for the page's process. `reported` is None before the first report."""
        status = self._status()
        return {
            "reported": None if status is None else status.reported.to_json(),
            "scheduler_alive": self._is_alive(),
            "counters": self._counters.to_json(),
        }

    def line(self) -> str:
        """Return the status in one line."""
        status = self._status()
        return _("starting") if status is None else status_line(status)

    def _status(self) -> ServiceStatus | None:
        reported = self._reported
        if reported is None:
            return None
        reported = replace(reported, database_writable=reported.database_writable and self.can_write)
        return ServiceStatus(at=self._clock.now(), reported=reported, scheduler_alive=self._is_alive())
