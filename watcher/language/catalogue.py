"""The words of the program in the languages it speaks: one TOML file each, for translators to edit without Python."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

LANGUAGES = ("en", "es", "fr")
"""The languages there is a catalogue for. What is asked for in another is told in English."""

_PART = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """The words of one language. There is one catalogue for each."""

    language: str
    content: Mapping[str, Any]

    def message(self, *path: str) -> str:
        """The words that stand at this place; "" where there are none."""
        found: Any = self.content
        for key in path:
            found = found.get(key, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, str) else ""

    def format(self, *path: str, **fields: str) -> str:
        """The words at this place with their {fields} filled in; see `fill`."""
        return format_text(self.message(*path), fields)

    def plural(self, unit: str, number: int) -> str:
        """A number with its unit in the right form: "1 day", "7 days"."""
        form = "one" if abs(number) == 1 or (number == 0 and self.language == "fr") else "other"
        return self.format("units", unit, form, n=str(number))


def load_catalogue(language: str) -> Catalogue:
    """The words of `language`, English where there is no catalogue for it."""
    return _catalogue(language if language in LANGUAGES else "en")


def format_text(template: str, fields: Mapping[str, str]) -> str:
    """Puts the fields where their {names} stand.

    A part in [square brackets] is left out whole where a field within it is missing or empty, so that one template
    serves what is told fully and what is told in part. A missing field outside brackets becomes nothing.
    """
    told = []
    for pieces, needed in _taken_apart(template):
        if all(map(fields.get, needed)):
            told += [fields.get(piece, "") if is_field else piece for is_field, piece in pieces]
    return "".join(told)


_Piece: TypeAlias = tuple[bool, str]
"""Whether it names a field, and its text."""


@cache
def _taken_apart(template: str) -> tuple[tuple[tuple[_Piece, ...], tuple[str, ...]], ...]:
    """The parts of a template, each with the fields that it needs to be told at all; there are a few hundred."""
    parts = []
    for place, text in enumerate(_PART.split(template)):
        pieces = [(bool(odd % 2), piece) for odd, piece in enumerate(_FIELD.split(text)) if odd % 2 or piece]
        in_brackets = place % 2 == 1
        needed = tuple(piece for is_field, piece in pieces if is_field) if in_brackets else ()
        parts.append((tuple(pieces), needed))
    return tuple(parts)


@cache
def _catalogue(language: str) -> Catalogue:
    text = resources.files(__package__).joinpath("catalogues", f"{language}.toml").read_text(encoding="utf-8")
    return Catalogue(language, tomllib.loads(text))
