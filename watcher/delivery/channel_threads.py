"""One thread for each channel that is delivering, so that a slow or hanging channel does not delay another."""

import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import TypeAlias

OnError: TypeAlias = Callable[[str, Exception], float]
"""Called with a channel's name and what its delivery raised. Returns for how many seconds the channel rests."""


class ChannelThreads:
    """Runs deliveries, at most one at a time for each channel. Thread-safe."""

    def __init__(
        self, deliver: Callable[[str], object], *, on_error: OnError, on_end: Callable[[], None] = lambda: None
    ) -> None:
        """Start nothing yet. `on_end` is called whenever a channel's delivery has ended."""
        self._deliver, self._on_error, self._on_end = deliver, on_error, on_end
        self._lock = Lock()
        self._threads: dict[str, Thread] = {}
        self._rests_until: dict[str, float] = {}

    def start(self, channel: str) -> None:
        """Deliver to the channel in its thread, unless that is under way or the channel rests after an error."""
        with self._lock:
            if channel in self._threads or self._rest_of(channel) > 0:
                return
            thread = Thread(target=self._run, args=(channel,), name=f"delivery to {channel}", daemon=True)
            self._threads[channel] = thread
        thread.start()

    def busy(self) -> frozenset[str]:
        """Return the channels that are delivering or rest."""
        with self._lock:
            resting = {channel for channel in self._rests_until if self._rest_of(channel) > 0}
            return frozenset(self._threads.keys() | resting)

    def end_rests(self) -> None:
        """Let channels that rest after an error deliver again."""
        with self._lock:
            self._rests_until.clear()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the deliveries that are under way, in all at most `timeout` seconds (monotonic)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            threads = tuple(self._threads.values())
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _rest_of(self, channel: str) -> float:
        return self._rests_until.get(channel, 0.0) - time.monotonic()

    def _run(self, channel: str) -> None:
        rest = 0.0
        try:
            self._deliver(channel)
        except Exception as error:  # noqa: BLE001 - no error may end the deliveries of a daemon
            rest = self._on_error(channel, error)
        with self._lock:
            self._rests_until[channel] = time.monotonic() + rest
            del self._threads[channel]
        self._on_end()
