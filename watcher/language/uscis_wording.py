"""What USCIS writes in every one of its sources: receipt numbers, form numbers, and the day a status text states."""

import re
from datetime import date
from typing import TypeGuard

from watcher.language.month_names import month_number

RECEIPT = r"[A-Z]{3}(?:[0-9]{10}|\*[0-9]{9})"
"""The pattern of a receipt number: three letters and ten digits, or three letters, an asterisk, and nine digits."""
ONLINE_RECEIPT = r"IOE[0-9]{10}"
"""The pattern of a receipt number of a case that was filed online or digitized by USCIS."""

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
_FORM = re.compile(r"([A-Z]{1,4})-?([0-9]{2,4}[A-Z]{0,3})", re.ASCII)
_STATED_DAY = {
    "en": re.compile(r"\b(?:On|As of) (?P<month>[A-Z][a-z]{2,8})\.? (?P<day>\d{1,2}), (?P<year>\d{4})\b"),
    "es": re.compile(r"(?i)\b(?:el|a partir del|al) (?P<day>\d{1,2}) de (?P<month>[a-z]{4,}) del? (?P<year>\d{4})\b"),
}


def normalize_receipt(number: str) -> str:
    """Return a receipt number without spaces and dashes, in capitals. Does not check it."""
    return _SEPARATORS.sub("", number).upper()


def is_receipt(number: str) -> bool:
    """Return whether `number` is a normalized receipt number."""
    return re.fullmatch(RECEIPT, number) is not None


def is_online_receipt(number: object) -> TypeGuard[str]:
    """Return whether `number` is a normalized receipt number that begins with IOE."""
    return isinstance(number, str) and re.fullmatch(ONLINE_RECEIPT, number) is not None


def form_number(form: str) -> str | None:
    """Return a form number with its hyphen: `I485` and `i-485` are both `I-485`. None if `form` is not a number."""
    match = _FORM.fullmatch(form.strip().upper())
    return f"{match[1]}-{match[2]}" if match else None


def stated_day(text: str, language: str = "en") -> date | None:
    """Return the day that an English or Spanish status text states, or None.

    English: "On July 9, 2026" and "As of July 9, 2026". Spanish: "El 5 de septiembre de 2023".
    """
    match = _STATED_DAY[language].search(text)
    if match is None:
        return None
    month = month_number(match["month"]) or 0
    try:
        return date(int(match["year"]), month, int(match["day"]))
    except ValueError:
        return None


_NOTHING_OUTSTANDING = re.compile(
    r"(?i)\bnothing is outstanding\b|\bno(?:thing)? (?:further )?(?:action|evidence) is (?:outstanding|required)\b"
)


def says_nothing_is_outstanding(text: str) -> bool:
    """Return whether a status text says that USCIS expects nothing from the applicant at this time."""
    return _NOTHING_OUTSTANDING.search(text) is not None
