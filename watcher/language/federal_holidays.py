"""Legal public holidays of the United States, for any year. Pure.

Sources: 5 U.S.C. 6103(a) lists the days. 5 U.S.C. 6103(b): a holiday on a Saturday is observed on the Friday before it.
Executive Order 11582: one on a Sunday is observed on the Monday after it. Inauguration Day, 5 U.S.C. 6103(c), is left
out: it is a holiday only around Washington, D.C.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_JUNETEENTH_SINCE, _KING_SINCE = 2021, 1986


def is_business_day(day: date) -> bool:
    """Return whether a day is neither a Saturday, nor a Sunday, nor a federal holiday, nor the day it is observed."""
    return day.weekday() < _SATURDAY and day not in _days_off(day.year)


@lru_cache(maxsize=32)
def _days_off(year: int) -> frozenset[date]:
    """Return the federal holidays and the days on which they are observed, in this year."""
    holidays = [*_holidays(year)]
    if year < date.max.year:
        holidays.append(date(year + 1, 1, 1))  # a New Year's Day on a Saturday is observed in the year before
    days = {*holidays, *map(_observed, holidays)}
    return frozenset(day for day in days if day.year == year)


def _holidays(year: int) -> Iterator[date]:
    yield date(year, 1, 1)
    if year >= _KING_SINCE:
        yield _nth(3, _MONDAY, year, 1)
    yield _nth(3, _MONDAY, year, 2)
    yield _nth(1, _MONDAY, year, 6) - _WEEK  # the last Monday of May
    if year >= _JUNETEENTH_SINCE:
        yield date(year, 6, 19)
    yield date(year, 7, 4)
    yield _nth(1, _MONDAY, year, 9)
    yield _nth(2, _MONDAY, year, 10)
    yield date(year, 11, 11)
    yield _nth(4, _THURSDAY, year, 11)
    yield date(year, 12, 25)


def _nth(number: int, weekday: int, year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7) + (number - 1) * _WEEK


def _observed(holiday: date) -> date:
    if holiday.weekday() == _SATURDAY and holiday > date.min:
        return holiday - _DAY
    return holiday + _DAY if holiday.weekday() == _SUNDAY else holiday
