"""Texts with `{names}` in them, filled from what the account and the answers gave. Nothing else is a placeholder.

A brace that does not enclose a bare name in lower case is a brace: a GraphQL query may stand in a recipe as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

from watcher.model.change import Json

Values: TypeAlias = Mapping[str, str]

NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One text. `text` is as the recipe has it."""

    text: str

    @property
    def placeholders(self) -> frozenset[str]:
        """The placeholders in it."""
        return frozenset(_PLACEHOLDER.findall(self.text))

    def fill(self, values: Values) -> str:
        """The text with every placeholder replaced, once: what is put in is not looked at again."""
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self.text)

    def fill_address(self, values: Values) -> str:
        """The text as an address: what is put in is escaped, so that it is one part of a path or query and no more.

        A placeholder at the very beginning is an address itself, taken from a page, and stays as it is.
        """
        leading = _PLACEHOLDER.match(self.text)
        begin = values[leading[1]] if leading else ""
        rest = self.text[leading.end() :] if leading else self.text
        return begin + _PLACEHOLDER.sub(lambda found: _escaped(values[found[1]]), rest)


def _escaped(value: str) -> str:
    # A dot is a safe sign, but "." and ".." alone as part of a path would lead upwards.
    escaped = quote(value, safe="")
    return escaped.replace(".", "%2E") if set(value) <= {"."} else escaped


def placeholders_in(content: Json) -> frozenset[str]:
    """Every placeholder in the texts of a JSON document."""
    if isinstance(content, str):
        return Template(text=content).placeholders
    parts = list(content.values()) if isinstance(content, dict) else content if isinstance(content, list) else []
    return frozenset().union(*map(placeholders_in, parts))


def fill_json(content: Json, values: Values) -> Json:
    """A JSON document with the placeholders in its texts replaced; keys stay as they are."""
    if isinstance(content, str):
        return Template(text=content).fill(values)
    if isinstance(content, dict):
        return {key: fill_json(part, values) for key, part in content.items()}
    if isinstance(content, list):
        return [fill_json(part, values) for part in content]
    return content
