"""Locations of keys, written in TOML, as an environment variable, or as the name of a secret's file."""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""The location of a key: ("accounts", "family", "password"), or ("sign_in", 1, "form") for the second [[sign_in]]."""


def toml_key(key_path: Sequence[str | int]) -> str:
    """Return the key in TOML notation: `accounts."Mum & Dad".cases[0]`."""
    text = ""
    for part in key_path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part != "[key]":  # pydantic's mark for the key of a dictionary instead of its value
            text += ("." if text else "") + (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"')
    return text


def env_name(key_path: KeyPath) -> str:
    """Return the environment variable of a secret: WATCHER_ACCOUNTS__FAMILY__PASSWORD.

    Characters other than A to Z and digits become underscores.
    """
    return "WATCHER_" + "__".join(re.sub("[^A-Z0-9]", "_", str(part).upper()) for part in key_path)


def secrets_folder(configuration: PurePath) -> PurePath:
    """Return the folder of a configuration's secret files.

    It is "secrets" beside watcher.toml, and NAME.secrets beside any other NAME.toml, so that two configurations in one
    folder do not share secrets.
    """
    return configuration.with_name(
        "secrets" if configuration.name == "watcher.toml" else f"{configuration.stem}.secrets"
    )


def secret_file_name(key_path: KeyPath) -> str:
    """Return the name of a secret's file: accounts__family__password."""
    return env_name(key_path).removeprefix("WATCHER_").lower()
