"""The dates of a portal: ISO 8601, else the formats that the recipe lists, else a day such as 20260529. Pure.

Months may be named in any language of `watcher.language.month_names`, also shortened and with a dot, and days of the
week in any language. The machine's locale does not matter, because the program never sets one.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from watcher.language.month_names import month_number
from watcher.messages import _

_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS: Final = re.compile(r"[12][0-9]{7}")
_ISO_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_EPOCHS: Final = {"epoch": 1, "epoch_ms": 1000}
_MAX_LENGTH: Final = 100
_TIME_DIRECTIVE: Final = re.compile(r"%[HIMScXTRsfp]")
_DIRECTIVE: Final = re.compile(r"(%.)")
_WORD: Final = r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*\.?"
_PATTERNS: Final = {
    **dict.fromkeys(("%B", "%b", "%h", "%A", "%a"), rf"({_WORD})"),
    **dict.fromkeys(("%H", "%I", "%j", "%M", "%m", "%S", "%Y", "%y"), r"(\d+)"),
    "%d": r"(\d+)(?:st|nd|rd|th|er|re|[\u00ba\u00aa\u00b0.])?",
    "%p": r"([ap])\.?\s?m\.?",
    "%%": "(%)",
}
"""What a directive matches where a date is not written as `strptime` expects; anything else than these as it is."""


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
            raise ValueError(_("it is too long for a date"))
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
                moment = _strptime(text, date_format)
            except (ValueError, OverflowError, OSError):
                continue
            return self._in_zone(moment) if _TIME_DIRECTIVE.search(date_format) else moment.date()
        if _DIGITS.fullmatch(text):
            return date.fromisoformat(text)
        raise ValueError(_("it is neither ISO 8601 (2026-05-29) nor in the recipe's date_format"))


def _strptime(text: str, date_format: str) -> datetime:
    """Parse with `strptime`; if that fails, once more with the words in English. Raises ValueError."""
    try:
        return datetime.strptime(text, date_format)  # noqa: DTZ007 - the zone is the recipe's, set by the caller
    except ValueError:
        return datetime.strptime(_in_english(text, date_format), date_format)  # noqa: DTZ007 - the same


def _in_english(text: str, date_format: str) -> str:
    """Return a date with its words in English and without the endings of ordinal numbers. Raises ValueError."""
    parts = _DIRECTIVE.split(unicodedata.normalize("NFC", date_format))
    match = _pattern(tuple(parts)).fullmatch(unicodedata.normalize("NFC", text))
    if match is None:
        raise ValueError("the text does not match the format")
    values = iter(match.groups())
    return "".join(_english(part, next(values)) if part.startswith("%") else part for part in parts)


@lru_cache(maxsize=64)
def _pattern(parts: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches a format that was split at its directives; it has one group for each."""
    return re.compile(
        "".join(
            _PATTERNS.get(part, "(.+?)") if part.startswith("%") else re.sub(r"(?:\\\s)+", r"\\s+", re.escape(part))
            for part in parts
        ),
        re.IGNORECASE,
    )


def _english(directive: str, text: str) -> str:
    """Return what `strptime` expects for a directive. Days of the week may be named in any way."""
    if directive in ("%A", "%a"):
        return datetime(2026, 1, 5, tzinfo=UTC).strftime(directive)
    if directive == "%p":
        return f"{text}m"
    if directive in ("%B", "%b", "%h"):
        number = month_number(text)
        if number is None:
            raise ValueError("there is no month with this name")
        return datetime(2026, number, 1, tzinfo=UTC).strftime(directive)
    return text


def check_format(text: str) -> None:
    """Raise ValueError, with a suggestion, for a format that cannot be parsed or lacks a day, month, or year."""
    if text in _EPOCHS:
        return
    try:
        formatted = datetime(2026, 11, 22, 13, 45, 30, tzinfo=UTC).strftime(text)
        parsed = datetime.strptime(formatted, text)  # noqa: DTZ007 - only a test
    except ValueError:
        raise ValueError(
            _('{text!r} is not a date format; use one such as "%B %d, %Y" or "%d/%m/%Y %H:%M"', text=text)
        ) from None
    if (parsed.year, parsed.month, parsed.day) != (2026, 11, 22):
        raise ValueError(_('{text!r} needs a day, a month, and a year; use one such as "%B %d, %Y"', text=text))
