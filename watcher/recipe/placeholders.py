"""Texts with `{names}` that are filled with values from the account and from answers.

A brace that does not enclose a bare name in lower case is not a placeholder, so that a recipe may contain a GraphQL
query as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeAlias
from urllib.parse import quote

from watcher.model.change import Json

Values: TypeAlias = Mapping[str, str]

NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


CASE_NUMBERS: Final = "case_numbers"


class CaseNumbers(str):
    """The value of `{case_numbers}`: in a text joined with commas; as an item of a JSON list, one item for each."""

    __slots__ = ("numbers",)
    numbers: tuple[str, ...]

    def __new__(cls, numbers: Sequence[str]) -> Self:
        """`numbers` has at least one."""
        value = super().__new__(cls, ",".join(numbers))
        value.numbers = tuple(numbers)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One text, as the recipe has it."""

    text: str

    @property
    def placeholders(self) -> frozenset[str]:
        """All placeholders in the text."""
        return frozenset(_PLACEHOLDER.findall(self.text))

    def fill(self, values: Values) -> str:
        """Return the text with every placeholder replaced. Placeholders within the values are not replaced."""
        return _PLACEHOLDER.sub(lambda match: values[match[1]], self.text)

    def fill_address(self, values: Values) -> str:
        """Return the text as an address, with escaped values: each is exactly one part of a path or query.

        A placeholder at the very beginning is an address itself, taken from a page, and is not escaped.
        """
        leading = _PLACEHOLDER.match(self.text)
        start = values[leading[1]] if leading else ""
        rest = self.text[leading.end() :] if leading else self.text
        return start + _PLACEHOLDER.sub(lambda match: _escape(values[match[1]]), rest)


def _escape(value: str) -> str:
    # A dot is safe, but "." and ".." as a whole part of a path would lead to a parent folder.
    escaped = quote(value, safe="")
    return escaped.replace(".", "%2E") if set(value) <= {"."} else escaped


def placeholders_in(content: Json) -> frozenset[str]:
    """Return all placeholders in the strings of a JSON document."""
    if isinstance(content, str):
        return Template(text=content).placeholders
    parts = list(content.values()) if isinstance(content, dict) else content if isinstance(content, list) else []
    return frozenset().union(*map(placeholders_in, parts))


def fill_json(content: Json, values: Values) -> Json:
    """Return a JSON document with the placeholders in its strings replaced, except in its keys."""
    if isinstance(content, str):
        return Template(text=content).fill(values)
    if isinstance(content, dict):
        return {key: fill_json(part, values) for key, part in content.items()}
    if isinstance(content, list):
        return [item for part in content for item in _filled_items(part, values)]
    return content


def _filled_items(part: Json, values: Values) -> list[Json]:
    several = values.get(CASE_NUMBERS) if part == f"{{{CASE_NUMBERS}}}" else None
    return list(several.numbers) if isinstance(several, CaseNumbers) else [fill_json(part, values)]
