"""Durations as people write them: "30m", "4h", "90d"."""

import re
from datetime import timedelta

from watcher.messages import _

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MAX = timedelta(days=3660)


def parse_duration(text: str) -> timedelta:
    """Parse a whole number and a unit (s, m, h, d, w), or "0".

    Raises ValueError for anything else and for more than ten years. The message says what is right.
    """
    match = re.fullmatch(r"\s*([0-9]{1,9})\s*([smhdw])\s*", text)
    if text.strip() == "0":
        return timedelta()
    if match is None:
        raise ValueError(
            _('{text!r} is not a duration; use a whole number and a unit, such as "30m", "4h", or "90d"', text=text)
        )
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _MAX:
        raise ValueError(_("{text!r} is longer than ten years", text=text))
    return span


def format_duration(span: timedelta) -> str:
    """Return the shortest exact text: "36h" for 36 hours, "7d" for seven days. Fractions of a second are dropped."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
