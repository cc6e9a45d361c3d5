"""When a condition of time will first hold. Pure."""

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta


def first_moment(holds: Callable[[datetime], bool], now: datetime, until: datetime) -> datetime | None:
    """Return the first moment from `now` to `until`, to the second, at which the condition holds, or None.

    The condition must stay true once it holds.
    """
    if holds(now):
        return now
    if not holds(until):
        return None
    seconds = range(int((until - now).total_seconds()) + 1)
    first = bisect_left(seconds, True, key=lambda elapsed: holds(now + timedelta(seconds=elapsed)))
    return min(now + timedelta(seconds=first), until)
