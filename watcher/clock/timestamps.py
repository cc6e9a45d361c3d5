"""Days and moments as text, and back.

The database and recorded changes hold `iso_text`. JSON documents, `/healthz`, and messages show `utc_text`. Tables in a
terminal show `local_text`. A portal's own spellings (American dates, times without a zone) belong to that portal.
"""

from datetime import UTC, date, datetime, tzinfo
from typing import overload


@overload
def iso_text(value: date) -> str: ...
@overload
def iso_text(value: date | None) -> str | None: ...
def iso_text(value: date | None) -> str | None:
    """Return a day or moment in ISO 8601 exactly as it is, with its offset and microseconds; None for None."""
    return None if value is None else value.isoformat()


@overload
def utc_text(value: date) -> str: ...
@overload
def utc_text(value: date | None) -> str | None: ...
def utc_text(value: date | None) -> str | None:
    """Return a UTC moment in ISO 8601 to the second, with Z. A day, or a time without a zone, is as in `iso_text`."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return iso_text(value)


def local_text(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment to the minute as a person reads it: in `zone` if given, otherwise in its own."""
    return f"{moment.astimezone(zone) if zone else moment:%Y-%m-%d %H:%M}"


def zoned_text(moment: datetime, zone: tzinfo) -> str:
    """Return `local_text` with the zone's abbreviation, for what is also read on other machines."""
    return f"{local_text(moment, zone)} {moment.astimezone(zone):%Z}"


def parse_iso(text: str) -> date | datetime:
    """Parse what `iso_text` wrote: a text without a time of day is a day. Raises ValueError."""
    return date.fromisoformat(text) if len(text) == len("2026-07-09") else datetime.fromisoformat(text)


def parse_utc(text: str) -> datetime:
    """Parse an aware moment that `iso_text` or `utc_text` wrote; the result is in UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return moment.astimezone(UTC)
