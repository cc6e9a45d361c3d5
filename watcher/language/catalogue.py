"""The messages of alerts, by key. The English ones are in `catalogues/en.toml`, the translations in gettext's files."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from watcher.messages import LANGUAGES, translation

_OPTIONAL_PART = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The messages of one language. A message without a translation is English."""

    language: str

    def message(self, *path: str) -> str:
        """Return the message with this key path; "" if there is none."""
        return _message(self.language, path)

    def format(self, *path: str, **fields: str) -> str:
        """Return the message with its {fields} filled in; see `format_text`."""
        return format_text(self.message(*path), fields)

    def plural(self, unit: str, number: int) -> str:
        """Return a number with its unit in the correct form: "1 day", "7 days"."""
        one, other = (english_messages()["units", unit, form] for form in ("one", "other"))
        template = translation(self.language).npgettext(f"units.{unit}", one, other, abs(number))
        return format_text(template, {"n": str(number)})


@lru_cache(maxsize=2048)  # one alert looks up a hundred messages
def _message(language: str, path: tuple[str, ...]) -> str:
    english = english_messages().get(path, "")
    return english and translation(language).pgettext(".".join(path), english)


def load_catalogue(language: str) -> Catalogue:
    """Return the catalogue of `language`, or the English one if there is none."""
    return Catalogue(language if language in LANGUAGES else "en")


@cache
def english_messages() -> Mapping[tuple[str, ...], str]:
    """Return the English messages by their key paths."""
    text = resources.files(__package__).joinpath("catalogues", "en.toml").read_text(encoding="utf-8")
    return dict(_leaves(tomllib.loads(text), ()))


def _leaves(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


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
