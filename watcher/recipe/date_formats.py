"""The dates of a portal: ISO 8601, else the formats that the recipe lists. Pure.

The names of months and days in a format are English whatever the machine's locale is, because the program never sets
one.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_EPOCHS: Final = {"epoch": 1, "epoch_ms": 1000}
_MAX_LENGTH: Final = 100
_TIME_DIRECTIVE: Final = re.compile(r"%[HIMScXTRsfp]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """How the dates of one recipe are written. `zone` is that of times that do not state their own."""

    formats: tuple[str, ...] = ()
    zone: ZoneInfo | None = None

    def parse(self, text: str) -> datetime | date | None:
        """Return a day, or a time that is aware if the text or the recipe states the zone, else naive.

        Return None for a text without a digit ("N/A", "to be announced"): the portal gives no date. Raises ValueError
        if no format matches.
        """
        if not any(char.isdigit() for char in text):
            return None
        if len(text) > _MAX_LENGTH:
            raise ValueError("it is longer than any date")
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_MOMENT.fullmatch(text):
            return self._in_zone(datetime.fromisoformat(text))
        return self._parse_with_formats(text)

    def parse_day(self, text: str) -> date | None:
        """Return only the day of what `parse` returns, in the recipe's zone if it has one."""
        moment = self.parse(text)
        if not isinstance(moment, datetime):
            return moment
        return (moment.astimezone(self.zone) if moment.tzinfo and self.zone else moment).date()

    def _in_zone(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo or self.zone is None else moment.replace(tzinfo=self.zone)

    def _parse_with_formats(self, text: str) -> datetime | date:
        for date_format in self.formats:
            try:
                if date_format in _EPOCHS:
                    return datetime.fromtimestamp(int(text) / _EPOCHS[date_format], tz=UTC)
                moment = datetime.strptime(text, date_format)  # noqa: DTZ007 - the zone is the recipe's, set below
            except (ValueError, OverflowError, OSError):
                continue
            return self._in_zone(moment) if _TIME_DIRECTIVE.search(date_format) else moment.date()
        raise ValueError("it is neither ISO 8601 (2026-05-29) nor in the recipe's date_format")


def check_format(text: str) -> None:
    """Raise ValueError, with a suggestion, for a format that cannot be parsed or lacks a day, month, or year."""
    if text in _EPOCHS:
        return
    try:
        formatted = datetime(2026, 11, 22, 13, 45, 30, tzinfo=UTC).strftime(text)
        parsed = datetime.strptime(formatted, text)  # noqa: DTZ007 - only a test
    except ValueError:
        raise ValueError(f'{text!r} is no date format; write one such as "%B %d, %Y" or "%d/%m/%Y %H:%M"') from None
    if (parsed.year, parsed.month, parsed.day) != (2026, 11, 22):
        raise ValueError(f'{text!r} does not give a day, a month and a year; write one such as "%B %d, %Y"')
