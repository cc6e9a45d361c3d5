"""Remove characters that a person cannot see from text."""

import unicodedata
from typing import Final

_JOINERS: Final = frozenset("\u200c\u200d")
"""The only invisible characters that some scripts need."""
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs"})
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """`text` without control, formatting, private and unassigned characters; those that separate become spaces."""
    return text if text.isprintable() else "".join(_seen(sign) for sign in text)


def clean(text: str) -> str:
    """One line of plain text: every run of white space is one space; control and direction signs are gone."""
    kept = (
        sign for sign in text if sign.isspace() or sign in _JOINERS or unicodedata.category(sign) not in _UNPRINTABLE
    )
    return " ".join("".join(kept).split())


def _seen(sign: str) -> str:
    if unicodedata.category(sign) not in _UNSEEN:
        return sign
    return " " if sign.isspace() else ""
