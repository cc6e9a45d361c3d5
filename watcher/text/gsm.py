"""Text in the alphabet of an SMS, GSM 03.38 (3GPP TS 23.038). Pure.

A message with any other character has room for 70 characters instead of 160. The characters of the extension table
count twice.
"""
# ruff: noqa: RUF001 - the table is about characters that look like others

import re
import unicodedata
from typing import Final

MAX_SMS_LENGTH: Final = 160
"""Characters of one SMS."""

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_ALPHABET: Final = _BASIC | _EXTENSION
_REPLACED: Final = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "‘": "'", "’": "'", "‹": "(", "›": ")",
        "–": "-", "—": "-", "‑": "-", "−": "-",
        "×": "x", "·": "-", "ˆ": "'", "`": "'", "＿": "-", "_": "-", "…": "...",
        "œ": "oe", "Œ": "OE", "ı": "i", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    }
)  # fmt: skip
_DOTS: Final = re.compile("•+")
_INNER_SPACE: Final = re.compile(r"(?<=«)\s|\s(?=»)")


def gsm_length(text: str) -> int:
    """Return how many of the 160 characters of an SMS the text takes."""
    return len(text) + sum(map(text.count, _EXTENSION))


def is_gsm(text: str) -> bool:
    """Return whether every character is in the alphabet."""
    return _ALPHABET.issuperset(text)


def gsm_text(text: str, *, max_length: int = MAX_SMS_LENGTH) -> str:
    """Return `text` in the alphabet, at most `max_length` of an SMS's characters long.

    Accents that the alphabet lacks are dropped, and a character without any equivalent becomes a question mark.
    """
    converted = _DOTS.sub("..", _INNER_SPACE.sub("", text)).translate(_REPLACED)
    if not is_gsm(converted):
        converted = "".join(map(_convert, converted))
    if gsm_length(converted) <= max_length:
        return converted
    while gsm_length(converted) > max_length - 3:
        converted = converted[:-1]
    return converted.rstrip(" .,:;") + "..."


def _convert(character: str) -> str:
    if is_gsm(character):
        return character
    if unicodedata.combining(character):
        return ""
    # Only of letters and digits: a sign may decompose into one that a phone takes for part of a link.
    decomposed = unicodedata.normalize("NFKD", character) if character.isalnum() else ""
    return "".join(part for part in decomposed if is_gsm(part)) or (" " if character.isspace() else "?")
