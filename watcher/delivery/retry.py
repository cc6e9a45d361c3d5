"""When to try a channel again after a failure, and when to give up. Pure."""

from datetime import datetime, timedelta

from watcher.model.alert import GIVE_UP_AFTER

_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900, 1800, 3600, 7200))


def message_delay(attempts: int) -> timedelta:
    """Return how long to wait after a message has failed once more than `attempts` times."""
    return _DELAYS[min(attempts, len(_DELAYS) - 1)]


def outage_delay(duration: timedelta) -> timedelta:
    """Return how long to wait before the next attempt on a channel that has failed for this long.

    The delays grow as those of a single message do.
    """
    total = timedelta()
    for delay in _DELAYS:
        total += delay
        if duration < total:
            return delay
    return _DELAYS[-1]


def is_exhausted(first_attempt_at: datetime | None, attempts: int, now: datetime) -> bool:
    """Return whether to give up: a week after the first attempt.

    A minimum number of attempts is required too, because the computer may have slept through that week, and its network
    may need a moment after it wakes.
    """
    return first_attempt_at is not None and now - first_attempt_at > GIVE_UP_AFTER and attempts >= len(_DELAYS)
