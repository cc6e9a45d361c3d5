"""Catalogues of the program's messages: one TOML file for each language, which translators edit without Python."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

LANGUAGES = ("en", "es", "fr")
"""The languages that have a catalogue. Others fall back to English."""

_OPTIONAL_PART = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """The messages of one language. There is one instance for each language."""

    language: str
    content: Mapping[str, Any]

    def message(self, *path: str) -> str:
        """Return the message with this key path; "" if there is none."""
        entry: Any = self.content
        for key in path:
            entry = entry.get(key, {}) if isinstance(entry, Mapping) else {}
        return entry if isinstance(entry, str) else ""

    def format(self, *path: str, **fields: str) -> str:
        """Return the message with its {fields} filled in; see `format_text`."""
        return format_text(self.message(*path), fields)

    def plural(self, unit: str, number: int) -> str:
        """Return a number with its unit in the correct form: "1 day", "7 days"."""
        form = "one" if abs(number) == 1 or (number == 0 and self.language == "fr") else "other"
        return self.format("units", unit, form, n=str(number))


def load_catalogue(language: str) -> Catalogue:
    """Return the catalogue of `language`, or the English one if there is none."""
    return _catalogue(language if language in LANGUAGES else "en")


def format_text(template: str, fields: Mapping[str, str]) -> str:
    """Replace each {name} in the template by its field.

    A part in [square brackets] is left out if a field in it is missing or empty, so one template serves complete and
    partial data. A missing field outside brackets becomes an empty string.
    """
    output = []
    for pieces, required in _parse(template):
        if all(map(fields.get, required)):
            output += [fields.get(piece, "") if is_field else piece for is_field, piece in pieces]
    return "".join(output)


_Piece: TypeAlias = tuple[bool, str]
"""Whether the text is the name of a field, and the text."""


@cache
def _parse(template: str) -> tuple[tuple[tuple[_Piece, ...], tuple[str, ...]], ...]:
    """Return the parts of a template, each with the fields that it requires. There are a few hundred templates."""
    parts = []
    for index, text in enumerate(_OPTIONAL_PART.split(template)):
        pieces = [(bool(number % 2), piece) for number, piece in enumerate(_FIELD.split(text)) if number % 2 or piece]
        in_brackets = index % 2 == 1
        required = tuple(piece for is_field, piece in pieces if is_field) if in_brackets else ()
        parts.append((tuple(pieces), required))
    return tuple(parts)


@cache
def _catalogue(language: str) -> Catalogue:
    text = resources.files(__package__).joinpath("catalogues", f"{language}.toml").read_text(encoding="utf-8")
    return Catalogue(language, tomllib.loads(text))
