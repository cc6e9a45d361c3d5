"""What time it is. Everything that asks for the time is handed a `Clock`, so that years pass in a test in a second."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and how long a wait takes."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def seconds_until(self, moment: datetime) -> float:
        """Real seconds from now until `moment`; 0 or less where it is past."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def seconds_until(self, moment: datetime) -> float:
        """Real seconds from now until `moment`."""
        return (moment - self.now()).total_seconds()


class FastClock:
    """A clock on which `speed` seconds pass in each real one, from `start` on. The demo lives by it."""

    def __init__(self, start: datetime, speed: float) -> None:
        """Starts running at once."""
        self._start, self._speed, self._origin = start, speed, time.monotonic()

    def now(self) -> datetime:
        """The present moment of this clock, aware, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._speed)

    def seconds_until(self, moment: datetime) -> float:
        """Real seconds from now until `moment` on this clock."""
        return (moment - self.now()).total_seconds() / self._speed
