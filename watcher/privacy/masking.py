"""Masked case numbers, recognizable only to people who know them. Pure."""

import re
from functools import lru_cache

_DOT = "\N{BULLET}"
_SERIES = re.compile(r"([A-Z]{1,3})[ -]?[0-9*\N{MIDDLE DOT}]")
_NUMBERS = re.compile(
    r"(?<![^\W_])(?:"
    r"[A-Z]{3}[ -]?[0-9*\N{MIDDLE DOT}][0-9]{9}"  # USCIS receipt, NVC case
    r"|[A-Z]{1,5}[ -]?[0-9]{7,14}"  # A-number, IRCC application, NVC invoice
    r"|AA[0-9A-Z]{8}"  # consular application id
    r"|[0-9]{2,4}-[0-9]{4}(?:-[0-9]{4})?"  # UCI as it is printed
    r"|[0-9]{8,30}"
    r")(?![^\W_])"
)


def mask_case_number(number: str) -> str:
    """Return `number` with its middle hidden: IOE••••••0001 for IOE0000000001.

    The letters of its series and the last four characters stay visible, fewer of a short number, and none of a name
    that is used instead of a number. At least four characters are hidden.
    """
    length = len(number)
    if not any(character.isdigit() for character in number):
        return _DOT * max(length, 4)
    last = 4 if length >= 9 else 2 if length >= 6 else 0  # noqa: PLR2004 - see the docstring
    series = _SERIES.match(number)
    first = len(series[1]) if series and length - last - len(series[1]) >= 4 else 0  # noqa: PLR2004
    hidden = max(length - first - last, 4)
    return number[:first] + _DOT * hidden + (number[-last:] if last else "")


@lru_cache(maxsize=256)  # the same text occurs several times in one alert
def mask_numbers(text: str, *known: str) -> str:
    """Return `text` with each number masked that is in `known` or looks like a case number or a personal number."""
    for number in known:
        if number:
            text = text.replace(number, mask_case_number(number))
    return _NUMBERS.sub(lambda match: mask_case_number(match[0]), text)
