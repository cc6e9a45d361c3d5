"""Where a key stands, and how that is written: in TOML, as an environment variable, as the name of a secret's file."""

import re
from collections.abc import Sequence
from typing import TypeAlias

Place: TypeAlias = tuple[str, ...]
"""Where a key stands: ("accounts", "family", "password")."""


def dotted(place: Sequence[str | int]) -> str:
    """A key as it is written in TOML: `accounts."Mum & Dad".cases[0]`."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part != "[key]":  # pydantic's word for a dictionary's key instead of its value
            text += ("." if text else "") + (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"')
    return text


def variable(place: Place) -> str:
    """The environment variable of a secret: WATCHER_ACCOUNTS__FAMILY__PASSWORD.

    Whatever is neither a letter from A to Z nor a digit becomes an underscore.
    """
    return "WATCHER_" + "__".join(re.sub("[^A-Z0-9]", "_", part.upper()) for part in place)


def file_name(place: Place) -> str:
    """The name of a secret's file: accounts__family__password."""
    return variable(place).removeprefix("WATCHER_").lower()
