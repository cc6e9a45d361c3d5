"""Titles that a template of a vocabulary covers, chosen at random."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from random import Random
from typing import Any

_TOKEN = re.compile(r"\{[a-z_]+\}|[\[\]()|]|[^\[\](){}|]+")
_FIELDS = {
    "{form}": "Form I-485, Application to Register Permanent Residence or Adjust Status",
    "{fee_form}": "Form I-912, Request for Fee Waiver",
    "{lawyer_form}": "Form G-28",
    "{ina}": "221(g)",
    "{reason}": "you did not sign it",
}


def vocabulary_file(name: str) -> dict[str, Any]:
    """Return the content of a vocabulary."""
    file = resources.files("watcher.language").joinpath("vocabulary", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def examples(vocabulary: str, count: int) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield `count` titles for each template, each with its group."""
    content, random = vocabulary_file(vocabulary), Random(vocabulary)  # noqa: S311 - the same titles in every run
    for group in content["group"]:
        for template in group.get("templates", ()):
            for _ in range(count):
                yield group, _example(_TOKEN.findall(template), None, content.get("slots", {}), random)


def _example(tokens: list[str], end: str | None, slots: Mapping[str, str], random: Random) -> str:
    """Take tokens up to `end` from the list, and return one of the alternatives that they spell."""
    options = [""]
    while tokens and (token := tokens.pop(0)) != end:
        if token == "|":
            options.append("")
        elif token in "[(":
            inner = _example(tokens, "]" if token == "[" else ")", slots, random)
            options[-1] += inner if token == "(" or random.random() < 1 / 2 else ""
        elif token.startswith("{"):
            options[-1] += _FIELDS.get(token) or _example(_TOKEN.findall(slots[token[1:-1]]), None, slots, random)
        else:
            options[-1] += token
    return random.choice(options)
