"""Dates and times in the format of the reader's language, and in a portal's text. Pure."""

import re
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from watcher.clock.timestamps import parse_iso
from watcher.language.catalogue import Catalogue
from watcher.language.month_names import month_number
from watcher.model.appointment_time import AppointmentTime, Day


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
    value = _in_zone(value, zone)
    return _day_text(value.year, value.month, value.day, catalogue)


@lru_cache(maxsize=1024)
def _day_text(year: int, month: int, day: int, catalogue: Catalogue) -> str:
    first = catalogue.message("dates", "first") if day == 1 else ""
    name = catalogue.message("dates", "months").split()[month - 1]
    return catalogue.format("dates", "date", month=name, day=first or str(day), year=str(year))


def moment_text(value: datetime | date, catalogue: Catalogue, zone: ZoneInfo) -> str:
    """Return the day with its weekday and, if known, the time: "Thursday, July 9, 2026, 3:00 PM EDT".

    A naive time, whose zone the portal does not give, is shown unchanged with a remark.
    """
    value = _in_zone(value, zone)
    weekday = catalogue.message("dates", "weekdays").split()[value.weekday()]
    day = catalogue.format("dates", "day", weekday=weekday, date=day_text(value, catalogue, zone))
    if not isinstance(value, datetime):
        return day
    form = "unzoned" if value.tzinfo is None else "zoned"
    return catalogue.format("dates", form, day=day, time=_clock(value, catalogue), zone=_zone_name(value, zone))


def appointment_text(when: AppointmentTime, catalogue: Catalogue, zone: ZoneInfo) -> str:
    """Return the day with its weekday and, if known, the time: "Thursday, July 9, 2026, 3:00 PM EDT".

    Only a moment is converted to `zone`, that of the office. A day is followed by the remark that the notice has the
    hour.
    """
    if isinstance(when, Day):
        return catalogue.format("dates", "day_only", day=moment_text(when.day, catalogue, zone))
    return moment_text(when.at, catalogue, zone)


def brief_appointment_text(
    when: AppointmentTime, catalogue: Catalogue, zone: ZoneInfo, *, months: str = "months"
) -> str:
    """Return the day and, if known, the time, for a title or a table: "Thu, July 9, 3:00 PM EDT".

    `months` "short_months" shortens the name of the month.
    """
    value = when.day if isinstance(when, Day) else _in_zone(when.at, zone)
    first = catalogue.message("dates", "first") if value.day == 1 else ""
    day = catalogue.format(
        "dates",
        "brief_day",
        weekday=catalogue.message("dates", "short_weekdays").split()[value.weekday()],
        month=catalogue.message("dates", months).split()[value.month - 1],
        day=first or str(value.day),
    )
    if not isinstance(value, datetime):
        return day
    if value.tzinfo is None:
        return catalogue.format("dates", "brief", day=day, time=_clock(value, catalogue))
    return catalogue.format("dates", "zoned", day=day, time=_clock(value, catalogue), zone=_zone_name(value, zone))


def _in_zone(value: datetime | date, zone: ZoneInfo) -> datetime | date:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return value
    try:
        return value.astimezone(zone)
    except OverflowError:  # a placeholder such as the year 9999 cannot be converted
        return value


def _clock(value: datetime, catalogue: Catalogue) -> str:
    style = catalogue.message("dates", "clock")
    if style == "12":
        return f"{value.hour % 12 or 12}:{value.minute:02} {'AM' if value.hour < 12 else 'PM'}"  # noqa: PLR2004 - noon
    return f"{value.hour}{style}{value.minute:02}"


def _zone_name(value: datetime, zone: ZoneInfo) -> str:
    """Return the abbreviation of the zone ("EDT"), or its name ("America/Sao Paulo") if that is a number ("-03")."""
    letters = value.tzname() or ""
    return letters if letters.isalpha() else zone.key.replace("_", " ")
