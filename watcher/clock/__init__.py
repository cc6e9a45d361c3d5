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
    """A clock for the demo, which starts at `start` and on which `speed` seconds pass in each real second.

    It stands still at `limit` until `run_until` moves that. Thread-safe.
    """

    def __init__(self, start: datetime, speed: float, *, limit: datetime | None = None) -> None:
        """Start the clock."""
        self._speed = speed
        self._run = (start, time.monotonic(), limit)

    def run_until(self, limit: datetime) -> None:
        """Let the clock run on from where it is, up to another limit."""
        self._run = (self.now(), time.monotonic(), limit)

    def now(self) -> datetime:
        """Return the current moment of this clock, aware, in UTC."""
        start, origin, limit = self._run
        moment = start + timedelta(seconds=(time.monotonic() - origin) * self._speed)
        return moment if limit is None else min(moment, limit)

    def seconds_until(self, moment: datetime) -> float:
        """Return the real seconds from now until `moment` on this clock."""
        return (moment - self.now()).total_seconds() / self._speed
