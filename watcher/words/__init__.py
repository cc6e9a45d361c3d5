"""The words of the program in the languages it speaks: one TOML file each, for translators to edit without Python."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "es", "fr")
"""The languages there is a catalogue for. What is asked for in another is told in English."""

_PART = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The words of one language."""

    language: str
    content: Mapping[str, Any]

    def word(self, *path: str) -> str:
        """The words that stand at this place; "" where there are none."""
        found: Any = self.content
        for key in path:
            found = found.get(key, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, str) else ""

    def fill(self, *path: str, **fields: str) -> str:
        """The words at this place with their {fields} filled in; see `fill`."""
        return fill(self.word(*path), fields)

    def many(self, unit: str, number: int) -> str:
        """A number with its unit in the right form: "1 day", "7 days"."""
        form = "one" if abs(number) == 1 or (number == 0 and self.language == "fr") else "other"
        return self.fill("units", unit, form, n=str(number))


def catalogue(language: str) -> Catalogue:
    """The words of `language`, English where there is no catalogue for it."""
    return _catalogue(language if language in LANGUAGES else "en")


def fill(template: str, fields: Mapping[str, str]) -> str:
    """Puts the fields where their {names} stand.

    A part in [square brackets] is left out whole where a field within it is missing or empty, so that one template
    serves what is told fully and what is told in part. A missing field outside brackets becomes nothing.
    """
    if "[" in template:
        template = _PART.sub(lambda part: part[1] if _complete(part[1], fields) else "", template)
    return _FIELD.sub(lambda name: fields.get(name[1], ""), template) if "{" in template else template


def _complete(part: str, fields: Mapping[str, str]) -> bool:
    return all(fields.get(name) for name in _FIELD.findall(part))


@cache
def _catalogue(language: str) -> Catalogue:
    text = resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Catalogue(language, tomllib.loads(text))
