"""The current time. Everything that needs the time takes a `Clock`, so that a test can pass years in a second."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The current time, and the real time until another."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...

    def seconds_until(self, moment: datetime) -> float:
        """Return the real seconds from now until `moment`; 0 or less if it is past."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        return datetime.now(UTC)

    def seconds_until(self, moment: datetime) -> float:
        """Return the real seconds from now until `moment`."""
        return (moment - self.now()).total_seconds()


class FastClock:
    """A clock for the demo, which starts at `start` and on which `speed` seconds pass in each real second."""

    def __init__(self, start: datetime, speed: float, *, held: bool = False) -> None:
        """Start the clock. If it is `held`, it stands still until `release`."""
        self._start, self._speed = start, speed
        self._origin = None if held else time.monotonic()

    def release(self) -> None:
        """Let a clock that was held run."""
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """Return the current moment of this clock, aware, in UTC."""
        elapsed = 0.0 if self._origin is None else time.monotonic() - self._origin
        return self._start + timedelta(seconds=elapsed * self._speed)

    def seconds_until(self, moment: datetime) -> float:
        """Return the real seconds from now until `moment` on this clock."""
        return (moment - self.now()).total_seconds() / self._speed
