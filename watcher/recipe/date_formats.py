"""What a portal's date means: ISO 8601, else the formats that the recipe gives. Pure.

The names of months and days in a format are English ones, whatever the machine's locale: the program never sets one.
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
_LONGEST: Final = 100
_OF_TIME: Final = re.compile(r"%[HIMScXTRsfp]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """How the dates of one recipe are written. `zone` is that of times which do not say their own."""

    formats: tuple[str, ...] = ()
    zone: ZoneInfo | None = None

    def parse(self, text: str) -> datetime | date | None:
        """A day, or a time: aware where the text or the recipe says the zone, else naive.

        None for a text without any digit ("N/A", "to be announced"): the portal gives no date. Raises ValueError for
        anything that no format fits.
        """
        if not any(sign.isdigit() for sign in text):
            return None
        if len(text) > _LONGEST:
            raise ValueError("it is longer than any date")
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_MOMENT.fullmatch(text):
            return self._zoned(datetime.fromisoformat(text))
        return self._formatted(text)

    def parse_day(self, text: str) -> date | None:
        """As `moment`, of which only the day counts: in the recipe's zone where it has one."""
        moment = self.parse(text)
        if not isinstance(moment, datetime):
            return moment
        return (moment.astimezone(self.zone) if moment.tzinfo and self.zone else moment).date()

    def _zoned(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo or self.zone is None else moment.replace(tzinfo=self.zone)

    def _formatted(self, text: str) -> datetime | date:
        for written in self.formats:
            try:
                if written in _EPOCHS:
                    return datetime.fromtimestamp(int(text) / _EPOCHS[written], tz=UTC)
                moment = datetime.strptime(text, written)  # noqa: DTZ007 - the zone is the recipe's, set below
            except (ValueError, OverflowError, OSError):
                continue
            return self._zoned(moment) if _OF_TIME.search(written) else moment.date()
        raise ValueError("it is neither ISO 8601 (2026-05-29) nor in the recipe's date_format")


def check_format(text: str) -> None:
    """Raises ValueError, saying what would be right, for a format that cannot be read or lacks a day."""
    if text in _EPOCHS:
        return
    try:
        written = datetime(2026, 11, 22, 13, 45, 30, tzinfo=UTC).strftime(text)
        read = datetime.strptime(written, text)  # noqa: DTZ007 - only tried out
    except ValueError:
        raise ValueError(f'{text!r} is no date format; write one such as "%B %d, %Y" or "%d/%m/%Y %H:%M"') from None
    if (read.year, read.month, read.day) != (2026, 11, 22):
        raise ValueError(f'{text!r} does not give a day, a month and a year; write one such as "%B %d, %Y"')
