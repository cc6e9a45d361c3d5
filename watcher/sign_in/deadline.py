"""The end of a wait while the machine's clock may be set."""

from datetime import timedelta

from watcher.clock import Clock


class Deadline:
    """The end of a wait: by the clock, or by the seconds that were waited, whichever comes first.

    By the clock alone, a wait would not end for months if the clock was ahead when it began and is set back.
    """

    def __init__(self, clock: Clock, timeout: timedelta) -> None:
        """The wait begins now."""
        self._clock, self._until = clock, clock.now() + timeout
        self._remaining = clock.seconds_until(self._until)

    def left(self) -> float:
        """Return the real seconds that are left; 0 or less at the end."""
        return min(self._remaining, self._clock.seconds_until(self._until))

    def waited(self, seconds: float) -> None:
        """Count real seconds that were waited."""
        self._remaining -= seconds
