"""Dates that a letter names. Pure.

Only complete dates count, as letters in English, Spanish, and French write them: "March 26, 2026", "26 March 2026",
"26 de marzo de 2026", "1er mars 2026", "2026-03-26", and "03/26/2026" in the order of the United States.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from watcher.language.month_names import month_number

_MONTH: Final = r"(?P<month>[^\W\d_]{3,12}\.?)"
_DAY: Final = r"(?P<day>[0-9]{1,2})"
_YEAR: Final = r"(?P<year>20[0-9]{2})"
_NOT_BEFORE: Final = r"(?<![\w/.-])"
_NOT_AFTER: Final = r"(?![\w/-])"
_FORMS: Final = tuple(
    re.compile(f"{_NOT_BEFORE}{form}{_NOT_AFTER}")
    for form in (
        rf"{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}",
        rf"{_DAY}(?:st|nd|rd|th|er|º)?\s+(?:de\s+)?{_MONTH}(?:\s+de|,)?\s+{_YEAR}",
        rf"{_YEAR}-(?P<month>[0-9]{{2}})-{_DAY}",
        rf"(?P<month>[0-9]{{1,2}})/{_DAY}/{_YEAR}",
    )
)


def dates_in(text: str) -> list[date]:
    """Return every date that the text names, once, in order."""
    return sorted({day for form in _FORMS for found in form.finditer(text) for day in _date_of(found)})


def _date_of(found: re.Match[str]) -> Iterator[date]:
    month = int(found["month"]) if found["month"].isdecimal() else month_number(found["month"])
    try:
        if month is not None:
            yield date(int(found["year"]), month, int(found["day"]))
    except ValueError:
        return  # February 30
