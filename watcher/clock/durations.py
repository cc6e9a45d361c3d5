"""Spans of time as people write them: "30m", "4h", "90d"."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=3660)


def parse_duration(text: str) -> timedelta:
    """Reads a whole number and a unit (s, m, h, d, w); "0" is no time at all.

    Raises ValueError, whose message says what would be right, for anything else and for more than ten years.
    """
    found = re.fullmatch(r"\s*([0-9]{1,9})\s*([smhdw])\s*", text)
    if text.strip() == "0":
        return timedelta()
    if found is None:
        raise ValueError(f'{text!r} is no duration; write a whole number and a unit, such as "30m", "4h" or "90d"')
    span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if span > _LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return span


def format_duration(span: timedelta) -> str:
    """The shortest exact spelling: timedelta(hours=36) is "36h", timedelta(days=7) is "7d"; never more than seconds."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
