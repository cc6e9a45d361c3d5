"""Moments and days as ISO 8601 text."""

from datetime import date, datetime


def utc_text(moment: datetime | None) -> str | None:
    """A moment as JSON documents have it: ISO 8601 in UTC with Z."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def iso_text(day: date | datetime | None) -> str | None:
    """A day or a moment as JSON documents have it; a moment without a zone stays without."""
    if isinstance(day, datetime) and day.tzinfo is not None:
        return utc_text(day)
    return None if day is None else day.isoformat()
