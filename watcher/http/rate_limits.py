"""The limits that a portal publishes: requests per second and per day."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Self
from zoneinfo import ZoneInfo

from watcher.clock import Clock
from watcher.portal import Quota


class RateLimit:
    """A limit of requests per second, shared by threads. Requests are spaced evenly.

    Gateways that publish "10 a second" often enforce one in each tenth of a second. `pause` waits the given number of
    seconds and returns whether to give up (as `threading.Event.wait` does); `monotonic` returns seconds.
    """

    def __init__(
        self, per_second: float, *, pause: Callable[[float], bool], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval, self._pause, self._monotonic = 1.0 / per_second, pause, monotonic
        self._next = float("-inf")
        self._lock = Lock()

    def wait(self) -> bool:
        """Wait until this request may be sent. Return False if `pause` said to give up."""
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        return turn <= now or not self._pause(turn - now)


class DailyAllowance:
    """One check's share of today's quota, shared by threads.

    It is taken from the quota at once, and the unused rest is returned when the context is left. The portal's count
    restarts at midnight in `zone`. The methods raise `StoreUnusable` like the quota.
    """

    def __init__(self, quota: Quota, requests: int, *, daily_limit: int, zone: ZoneInfo, clock: Clock) -> None:
        now = clock.now().astimezone(zone)
        self._quota, self._daily_limit, self._day = quota, daily_limit, now.date().isoformat()
        self.granted = self._left = quota.take(requests, daily_limit=daily_limit, day=self._day)
        self.resets_in = _midnight_after(now) - clock.now()
        """The time until the portal's count restarts, measured when the allowance was taken."""
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            unused, self._left = self._left, 0
        if unused:
            self._quota.give_back(unused, day=self._day)

    def use(self) -> bool:
        """Use one request, taking more from the quota if needed. Return False if none is left today."""
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
    """Return the next local midnight, also on days when daylight saving time starts or ends."""
    return datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), tzinfo=local.tzinfo)
