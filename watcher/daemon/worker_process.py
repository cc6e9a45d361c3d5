"""A worker as the supervisor sees it: a child process with a deadline for its start and for each of its signs of life."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from watcher.processes.channel import Message
from watcher.processes.child import Child

MODULE = "watcher.daemon.worker"
_MAX_MISSED = 4  # signs of life


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the supervisor and its workers wait, in real seconds.

    `tick`: between two looks at the database at rest. `idle`: without work, after which a worker ends. `linger`: if a
    worker is needed again within this time, it waits instead, because a start takes more than waiting. `start`: in
    which a worker must be ready. `stop`: in which it must end. `first_delay` to `max_delay`: before the next start after
    a failed one.
    """

    tick: float = 15.0
    idle: float = 15.0
    linger: float = 600.0
    start: float = 300.0
    stop: float = 28.0
    first_delay: float = 1.0
    max_delay: float = 300.0


class WorkerProcess:
    """A worker that was started.

    `is_ready` means that it works. `is_done` means that it has reported that nothing is left to do.
    """

    def __init__(self, module: str, start: Message, *, pace: Pace, interval: float) -> None:
        """Start it, and give it `start`, see `watcher.daemon.worker`. Raises OSError if that is not possible.

        `interval`: seconds between its signs of life.
        """
        self._pace, self._interval = pace, interval
        self.child = Child(module)
        self.is_ready = self.is_done = False
        self._has_left = False
        self._deadline = time.monotonic() + pace.start
        try:
            self.send("start", **start)
        except OSError:
            self.kill()
            self.child.channel.close()
            self.child.wait()
            raise

    def send(self, kind: str, **content: Any) -> None:
        """Send a message. Raises OSError."""
        self.child.channel.send({"is": kind, **content})

    def messages(self) -> Iterator[Message]:
        """Yield what it has sent."""
        try:
            while (message := self.child.channel.receive(0)) is not None:
                yield message
        except EOFError:
            self._has_left = True

    def has_left(self) -> bool:
        """Return whether it has ended or closed its channel, after all of its messages were yielded."""
        return self._has_left

    def ready(self) -> None:
        """Note that it works. From now on it must show signs of life."""
        self.is_ready = True
        self.alive()

    def alive(self) -> None:
        """Note a sign of life."""
        self._deadline = time.monotonic() + _MAX_MISSED * self._interval

    def stop(self) -> None:
        """Ask it to end. One that has not begun to work is killed."""
        self._deadline = time.monotonic() + self._pace.stop
        if not self.is_ready:
            self.kill()
        with suppress(OSError):
            self.send("stop")

    def time_left(self) -> float:
        """Return the seconds until its deadline."""
        return self._deadline - time.monotonic()

    def kill(self) -> None:
        """End it at once."""
        self.child.kill()

    def end(self) -> int:
        """Wait for its end after `has_left`. Return its exit status, or the negated number of the signal."""
        end = time.monotonic() + 1.0
        while (status := self.child.status()) is None and time.monotonic() < end:
            time.sleep(0.005)
        if status is None:
            self.kill()
            self.child.wait()
            status = self.child.status()
        self.child.channel.close()
        return status or 0
