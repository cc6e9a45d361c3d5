"""Workers as the supervisor sees them: child processes with deadlines, started one at a time.

After one that failed, the next is started with a growing delay.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from watcher.daemon.growing_delay import GrowingDelay
from watcher.daemon.options import Pace
from watcher.processes.channel import Message
from watcher.processes.child import Child

MODULE = "watcher.daemon.worker"

_MAX_FAILURES = 3
_EXIT_TIME = 1.0
_log = logging.getLogger(__name__)


class WorkerProcess:
    """A worker that was started.

    `has_begun`: it may be working. `is_ready`: it works. `is_done`: it has reported that nothing is left to do.
    """

    def __init__(self, module: str, pace: Pace) -> None:
        """Start it. Raises OSError if that is not possible."""
        self._pace, self.child = pace, Child(module)
        self.has_begun = self.is_ready = self.is_done = self.has_left = False
        self._started_at = time.monotonic()
        self._set_deadline(pace.start)

    def send(self, kind: str, **content: Any) -> None:
        """Send a message. If it has ended or hangs, that is noticed otherwise."""
        with suppress(OSError):
            self.child.channel.send({"is": kind, **content})

    def messages(self) -> Iterator[Message]:
        """Yield what it has sent. Set `has_left` if it has closed its channel."""
        try:
            while (message := self.child.channel.receive(0)) is not None:
                yield message
        except EOFError:
            self.has_left = True

    def begin(self) -> None:
        """Let it begin to work."""
        self.has_begun = True
        self.send("work")

    def ready(self) -> None:
        """Note that it works. From now on it must show signs of life."""
        self.is_ready = True
        self.alive()

    @property
    def age(self) -> float:
        """For how many seconds it has run."""
        return time.monotonic() - self._started_at

    def alive(self) -> None:
        """Note a sign of life."""
        self._set_deadline(self._pace.patience)

    def stop(self) -> None:
        """Ask it to end. One that has not begun to work is killed."""
        self._set_deadline(self._pace.stop)
        if self.has_begun:
            self.send("stop")
        else:
            self.child.kill()

    def time_left(self) -> float:
        """Return the seconds until its deadline."""
        return self._deadline - time.monotonic()

    def kill(self) -> None:
        """End it at once, or try again later."""
        self.child.kill()
        self._set_deadline(self._pace.stop)

    def exit_status(self) -> int:
        """Return its exit status after it has left, or the negated number of the signal that ended it."""
        end = time.monotonic() + _EXIT_TIME
        while (status := self.child.status()) is None and time.monotonic() < end:
            time.sleep(0.001)
        if status is None:
            self.child.kill()
            status = self.child.wait()
        self.child.channel.close()
        return status

    def _set_deadline(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds


class Workers:
    """The workers, one after the other. `current` is the one that runs."""

    def __init__(self, module: str, pace: Pace) -> None:
        """Start none yet."""
        self._module, self._pace = module, pace
        self.current: WorkerProcess | None = None
        self._delay, self._last_age = GrowingDelay(pace), 0.0

    @property
    def fail_repeatedly(self) -> bool:
        """Whether the last few workers could not be started, or died, and none works now."""
        return self._delay.failures >= _MAX_FAILURES and not (self.current and self.current.is_ready)

    @property
    def must_start(self) -> bool:
        """Whether the last worker failed, so that its work has to be taken up."""
        return self._delay.failures > 0

    def may_start(self) -> bool:
        """Return whether none runs, and the delay after a failed one is over."""
        return self.current is None and self._delay.time_left() <= 0

    def start(self, **content: Any) -> WorkerProcess | None:
        """Start one, and send it its first message. Return None if it cannot be started."""
        try:
            self.current = WorkerProcess(self._module, self._pace)
        except OSError as error:
            _log.error("worker_not_started", extra={"reason": error.strerror, "next_start_in": self._delay.failed()})
            return None
        self.current.send("start", **content)
        return self.current

    def stop(self) -> None:
        """Ask the current worker to end, if there is one."""
        if self.current is not None:
            self.current.stop()

    def ask_to_reload(self) -> None:
        """Ask the current worker to read the configuration again, if it works."""
        if self.current is not None and self.current.is_ready:
            self.current.send("reload")

    def time_left(self) -> float | None:
        """Return the seconds until something has to be done: a kill, or the next start after a failed one."""
        if self.current is not None:
            return self.current.time_left()
        return self._delay.time_left() if self._delay.failures else None

    def look(self) -> None:
        """Kill a worker that is past its deadline."""
        worker = self.current
        if worker is not None and worker.time_left() <= 0:
            _log.error("worker_hangs")
            worker.kill()

    def ended(self) -> int:
        """Note that the current worker has left. Return its exit status. Call `succeeded` or `failed` next."""
        worker, self.current = self.current, None
        self._last_age = worker.age if worker else 0.0
        return worker.exit_status() if worker else 0

    def succeeded(self) -> None:
        """Note that the last worker ended as it should."""
        self._delay.succeeded()

    def failed(self, status: int) -> None:
        """Note that the last worker failed, with this exit status. The next one is started after a delay."""
        delay = self._delay.failed(age=self._last_age)
        _log.error("worker_died", extra={**exit_details(status), "next_start_in": delay})


def exit_details(status: int) -> dict[str, int]:
    """Return an exit status for the log: the number of the signal that ended the process, or the status."""
    return {"signal": -status} if status < 0 else {"status": status}
