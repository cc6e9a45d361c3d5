"""Dates and times in the format of the reader's language, and in a portal's text. Pure."""

import re
from datetime import date, datetime, time
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from watcher.clock.timestamps import parse_iso
from watcher.language.catalogue import Catalogue
from watcher.language.month_names import month_number
from watcher.model.appointment_time import AppointmentTime, Day

if TYPE_CHECKING:
    from babel import Locale


def parse_moment(value: object) -> datetime | date | None:
    """Parse an ISO 8601 date or time; return None for anything else. A text without a time of day is a date."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return parse_iso(value)
    except ValueError:
        return None


def parse_stamp(value: object) -> datetime | date | None:
    """Parse a portal's stamp like `parse_moment`. Midnight on its own clock stands for a day, which has no zone."""
    moment = parse_moment(value)
    return moment.date() if isinstance(moment, datetime) and moment.time() == time() else moment


_LOCALES = {"en": "en_US", "es": "es_US", "fr": "fr_CA"}
"""How dates and times are written for each language: as where most of its readers live."""

_FIRST = re.compile(r"\b1\b")
_LEADING_ZERO = re.compile(r"^0(?=\d)")
_WORDS = re.compile(r"\w+")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|er)?")


def differ_only_in_day(one: str, other: str, one_day: date, other_day: date) -> bool:
    """Return whether two texts are the same but for the day, which is `one_day` in one and `other_day` in the other.

    The day may be in numbers or with the name of the month, in any language of `month_number`.
    """
    words, other_words = _WORDS.findall(one), _WORDS.findall(other)
    return len(words) == len(other_words) and all(
        word == changed or (_is_part_of(word, one_day) and _is_part_of(changed, other_day))
        for word, changed in zip(words, other_words, strict=True)
    )


def _is_part_of(word: str, day: date) -> bool:
    number = _ORDINAL.fullmatch(word)
    if number is None:
        return month_number(word) == day.month
    return int(number[1]) in {day.day, day.month, day.year, day.year % 100}


def day_text(value: datetime | date, catalogue: Catalogue, zone: ZoneInfo) -> str:
    """Return the day: "July 9, 2026". An aware time is converted to the reader's zone first."""
    return _date_text(_in_zone(value, zone), "long", catalogue)


def month_text(day: date, catalogue: Catalogue) -> str:
    """Return the month: "July 2026"."""
    return _date_text(day.replace(day=2), "yMMMM", catalogue)  # the first day of a month has a form of its own


def weekday_text(day: date, catalogue: Catalogue) -> str:
    """Return the day of the week, shortened: "Thu"."""
    return _date_text(day, "EEE", catalogue)


def moment_text(value: datetime | date, catalogue: Catalogue, zone: ZoneInfo) -> str:
    """Return the day with its weekday and, if known, the time: "Thursday, July 9, 2026, 3:00 PM EDT".

    A naive time, whose zone the portal does not give, is shown unchanged with a remark.
    """
    return _moment_text(_in_zone(value, zone), ("EEEE", "long"), catalogue, zone)


def appointment_text(when: AppointmentTime, catalogue: Catalogue, zone: ZoneInfo) -> str:
    """Return the day with its weekday and, if known, the time: "Thursday, July 9, 2026, 3:00 PM EDT".

    Only a moment is converted to `zone`, that of the office. A day is followed by the remark that the notice has the
    hour.
    """
    if isinstance(when, Day):
        return catalogue.format("dates", "day_only", day=moment_text(when.day, catalogue, zone))
    return moment_text(when.at, catalogue, zone)


def brief_appointment_text(
    when: AppointmentTime, catalogue: Catalogue, zone: ZoneInfo, *, is_shortest: bool = False
) -> str:
    """Return the day and, if known, the time, for a title or a table: "Thu, July 9, 3:00 PM EDT".

    `is_shortest` shortens the name of the month: "Thu, Sep 9".
    """
    value = when.day if isinstance(when, Day) else _in_zone(when.at, zone)
    return _moment_text(value, ("EEE", "MMMd" if is_shortest else "MMMMd"), catalogue, zone)


def _moment_text(value: datetime | date, forms: tuple[str, str], catalogue: Catalogue, zone: ZoneInfo) -> str:
    """Return the weekday, day, and time. `forms` are those of the weekday and the day, see `_date_text`."""
    weekday, day = (_date_text(value, form, catalogue) for form in forms)
    day = catalogue.format("dates", "day", weekday=weekday, date=day)
    if not isinstance(value, datetime):
        return day
    form = "unzoned" if value.tzinfo is None else "zoned"
    return catalogue.format("dates", form, day=day, time=_clock(value, catalogue), zone=_zone_name(value, zone))


def _date_text(value: date, form: str, catalogue: Catalogue) -> str:
    """Return a date in a form of CLDR: "long", or the skeleton or pattern of its fields, such as "MMMd"."""
    return _written_date(date(value.year, value.month, value.day), form, catalogue)


@lru_cache(maxsize=4096)  # an alert writes fifteen dates, and a check with many changes the same few
def _written_date(value: date, form: str, catalogue: Catalogue) -> str:
    from babel import dates  # noqa: PLC0415 - as in `_locale`

    locale = _locale(catalogue.language)
    text = dates.format_date(value, locale.datetime_skeletons.get(form, form), locale)
    return _FIRST.sub(catalogue.message("dates", "first"), text, count=1) if value.day == 1 else text


def _clock(value: datetime, catalogue: Catalogue) -> str:
    """Return the time of day, with ordinary spaces: SMS has no narrow ones. CLDR's "09 h 30" is "9 h 30"."""
    from babel import dates  # noqa: PLC0415 - as in `_locale`

    text = dates.format_time(value.replace(tzinfo=None), "short", locale=_locale(catalogue.language))
    return _LEADING_ZERO.sub("", " ".join(text.split()))


@cache
def _locale(language: str) -> "Locale":
    from babel import Locale  # noqa: PLC0415 - 90 ms and 10 MiB, which most commands do not need: they show no date

    return Locale.parse(_LOCALES[language])


def _in_zone(value: datetime | date, zone: ZoneInfo) -> datetime | date:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return value
    try:
        return value.astimezone(zone)
    except OverflowError:  # a placeholder such as the year 9999 cannot be converted
        return value


def _zone_name(value: datetime, zone: ZoneInfo) -> str:
    """Return the abbreviation of the zone ("EDT"), or its name ("America/Sao Paulo") if that is a number ("-03")."""
    letters = value.tzname() or ""
    return letters if letters.isalpha() else zone.key.replace("_", " ")
