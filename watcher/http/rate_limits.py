"""The limits that a portal publishes, kept: so many requests a second, so many a day."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Self
from zoneinfo import ZoneInfo

from watcher.clock import Clock
from watcher.portal import Quota


class RateLimit:
    """Spaces requests evenly, so that no second and no part of one sees more than its share; shared by threads.

    Evenly, because gateways that publish "10 a second" often mean one in each tenth of a second. `pause` waits so many
    real seconds and returns whether to give up (`threading.Event.wait` does both); `monotonic` is real seconds too.
    """

    def __init__(
        self, per_second: float, *, pause: Callable[[float], bool], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval, self._pause, self._monotonic = 1.0 / per_second, pause, monotonic
        self._next = float("-inf")
        self._lock = Lock()

    def wait(self) -> bool:
        """Waits for this request's turn. False where it was told to give up instead."""
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        return turn <= now or not self._pause(turn - now)


class DailyAllowance:
    """What one read may still ask of today's quota; shared by threads.

    It is taken from the quota at once, and what was not used goes back when the context is left. `zone` is the one at
    whose midnight the portal starts to count anew.
    """

    def __init__(self, quota: Quota, wanted: int, *, daily_limit: int, zone: ZoneInfo, clock: Clock) -> None:
        now = clock.now().astimezone(zone)
        self._quota, self._daily_limit, self._day = quota, daily_limit, now.date().isoformat()
        self.granted = self._left = quota.take(wanted, daily_limit=daily_limit, day=self._day)
        self.resets_in = _midnight_after(now) - clock.now()
        """How long, from the time this was taken, until the portal counts anew."""
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            unused, self._left = self._left, 0
        if unused:
            self._quota.give_back(unused, day=self._day)

    def use(self) -> bool:
        """Uses one request. False where none is left today."""
        with self._lock:
            if self._left:
                self._left -= 1
                return True
            self._left = self._quota.take(1, daily_limit=self._daily_limit, day=self._day) - 1
            if self._left < 0:
                self._left = 0
                return False
            return True


def _midnight_after(local: datetime) -> datetime:
    """The next midnight on the wall there, whatever daylight saving time does to the hours between."""
    return datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), tzinfo=local.tzinfo)
