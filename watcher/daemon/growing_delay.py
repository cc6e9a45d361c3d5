"""The delay before a process is started again after one that failed. It doubles with each failure."""

import time

from watcher.daemon.options import Pace

_MAX_FAILURES = 30  # 2 ** 30 seconds are longer than any limit


class GrowingDelay:
    """Counts the failures since the last success."""

    def __init__(self, pace: Pace) -> None:
        """Start without a failure."""
        self._pace = pace
        self.failures, self._over_at = 0, 0.0

    def time_left(self) -> float:
        """Return the seconds until a process may be started; negative if one may be."""
        return self._over_at - time.monotonic()

    def failed(self, *, age: float = 0.0) -> float:
        """Note a failure of a process that ran for `age` seconds. Return the delay."""
        if age > self._pace.max_delay:
            self.failures = 0
        delay = min(self._pace.first_delay * float(2**self.failures), self._pace.max_delay)
        self.failures = min(self.failures + 1, _MAX_FAILURES)
        self._over_at = time.monotonic() + delay
        return delay

    def succeeded(self) -> None:
        """Note that a process ended as it should."""
        self.failures = 0
