"""Text without characters that cannot be seen: control, direction, and formatting characters, lone surrogates.

Texts are in Unicode's composed form (NFC), so that words that look the same on every screen are equal.
"""

import unicodedata
from dataclasses import replace
from operator import is_ as _is
from typing import Any, Final, TypeVar

_JOINERS: Final = frozenset("\u200c\u200d")
"""The only invisible characters that some scripts need."""
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_INVISIBLE: Final = _UNPRINTABLE | {"Co", "Cn"}

_T = TypeVar("_T")


def visible(text: str) -> str:
    """Return `text` without invisible, private, and unassigned characters; a separator among them becomes a space."""
    return text if text.isprintable() else "".join(map(_visible, text))


def printable(text: str) -> str:
    """Return `text` without unprintable characters except joiners; a separator among them becomes a space."""
    return text if text.isprintable() else "".join(map(_printable, text))


def clean(text: str) -> str:
    """Return one line of printable, composed text, with each run of white space replaced by one space."""
    return composed(" ".join(printable(text).split()))


def composed(text: str) -> str:
    """Return `text` in Unicode's composed form (NFC): canonically equivalent texts become equal."""
    return unicodedata.normalize("NFC", text)


def printable_fields(value: _T) -> _T:
    """Return a dataclass with its texts composed and unprintable ones cleaned, at every depth; `value` if none changes.

    An unprintable `key` is escaped instead, so that different keys stay different.
    """
    changed = {}
    for name in getattr(value, "__dataclass_fields__", ()):
        old = getattr(value, name)
        if (new := _printable_field(old, name)) is not old:
            changed[name] = new
    return replace(value, **changed) if changed else value  # type: ignore[type-var]  # it has fields, so it is one


def _printable_field(value: Any, name: str) -> Any:
    if isinstance(value, str):
        if not unicodedata.is_normalized("NFC", value):
            value = composed(value)
        if value.isprintable() or printable(value) == value:  # joiners and wide spaces are not a reason to change it
            return value
        return ascii(value)[1:-1] if name == "key" else clean(value)
    if isinstance(value, tuple):
        cleaned = tuple(map(printable_fields, value))
        return value if all(map(_is, cleaned, value)) else cleaned
    return value


def _visible(character: str) -> str:
    return _unless_in(_INVISIBLE, character)


def _printable(character: str) -> str:
    return character if character in _JOINERS else _unless_in(_UNPRINTABLE, character)


def _unless_in(categories: frozenset[str], character: str) -> str:
    if unicodedata.category(character) not in categories:
        return character
    return " " if character.isspace() else ""
