"""Catalogues of the program's messages: one TOML file for each language, which translators edit without Python."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

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
        return _message(self, path)

    def format(self, *path: str, **fields: str) -> str:
        """Return the message with its {fields} filled in; see `format_text`."""
        return format_text(self.message(*path), fields)

    def plural(self, unit: str, number: int) -> str:
        """Return a number with its unit in the correct form: "1 day", "7 days"."""
        form = "one" if abs(number) == 1 or (number == 0 and self.language == "fr") else "other"
        return self.format("units", unit, form, n=str(number))


@lru_cache(maxsize=2048)  # one alert looks up a hundred messages
def _message(catalogue: Catalogue, path: tuple[str, ...]) -> str:
    entry: Any = catalogue.content
    for key in path:
        entry = entry.get(key, {}) if isinstance(entry, Mapping) else {}
    return entry if isinstance(entry, str) else ""


def load_catalogue(language: str) -> Catalogue:
    """Return the catalogue of `language`, or the English one if there is none."""
    return _catalogue(language if language in LANGUAGES else "en")


def format_text(template: str, fields: Mapping[str, str]) -> str:
    """Replace each {name} in the template by its field.

    A part in [square brackets] is left out if a field in it is missing or empty, so one template serves complete and
    partial data. A missing field outside brackets becomes an empty string.
    """
    filled = _Fields(fields)
    return "".join([text.format_map(filled) for text, required in _parse(template) if all(map(filled.get, required))])


class _Fields(dict[str, str]):
    """Fields by name; a missing one is empty."""

    def __missing__(self, name: str) -> str:
        return ""


@cache
def _parse(template: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the parts of a template for `str.format_map`, each with the fields that it requires.

    There are a few hundred templates. Braces that enclose no name of a field are text.
    """
    parts = []
    for index, text in enumerate(_OPTIONAL_PART.split(template)):
        pieces = _FIELD.split(text)
        names = tuple(pieces[1::2]) if index % 2 else ()  # every second part was in brackets
        pieces[::2] = [piece.replace("{", "{{").replace("}", "}}") for piece in pieces[::2]]
        pieces[1::2] = [f"{{{name}}}" for name in pieces[1::2]]
        parts.append(("".join(pieces), names))
    return tuple(parts)


@cache
def _catalogue(language: str) -> Catalogue:
    text = resources.files(__package__).joinpath("catalogues", f"{language}.toml").read_text(encoding="utf-8")
    return Catalogue(language, tomllib.loads(text))
