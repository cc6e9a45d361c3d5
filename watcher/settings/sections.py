"""Which model reads which section of a document, and its keys made ready for it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Any, Protocol

from pydantic import BaseModel, SecretStr

from watcher.settings import AccountSettings, ChannelSettings, Settings
from watcher.settings.faults import types_within
from watcher.settings.key_names import KeyPath


class KnownPortal(Protocol):
    """What the loader must know of one portal."""

    @property
    def account(self) -> type[AccountSettings]:
        """The model of an account there."""
        ...

    @property
    def min_every(self) -> timedelta:
        """The shortest time between two reads."""
        ...


class Portals(Protocol):
    """Finds portals by name. The package `watcher.portals` is one."""

    def names(self) -> tuple[str, ...]:
        """All of them."""
        ...

    def find(self, name: str) -> KnownPortal:
        """One of them. Raises KeyError for a name that is none."""
        ...


Models = Mapping[KeyPath, type[BaseModel]]
"""The model of each section that stands at its place; the whole document stands at ()."""


def models_of(keys: Mapping[str, Any], portals: Portals) -> Models:
    """Which model reads which section. An account whose portal is unknown has none."""
    models: dict[KeyPath, type[BaseModel]] = {(): Settings}
    for name, account in tables(keys, "accounts"):
        portal = account.get("portal")
        if isinstance(portal, str) and portal in portals.names():
            models["accounts", name] = portals.find(portal).account
    for name, _ in tables(keys, "channels"):
        models["channels", name] = ChannelSettings
    return models


def tables(keys: Mapping[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections `[kind.NAME]` by their names; whatever else stands there is left out."""
    found = keys.get(kind)
    for name, table in found.items() if isinstance(found, dict) else ():
        if isinstance(table, dict):
            yield name, table


def prepared(keys: Mapping[str, Any], models: Models, folder: Path) -> dict[str, Any]:
    """The keys with every empty text left out that stands for "not set", and every path taken from `folder`."""
    ready: dict[Any, Any] = _ready(keys, Settings, folder)
    for key_path, model in models.items():
        if key_path:
            kind, name = key_path
            ready[kind] = {**ready[kind], name: _ready(ready[kind][name], model, folder)}
    return ready


def _ready(keys: Mapping[str, Any], model: type[BaseModel], folder: Path) -> dict[str, Any]:
    ready: dict[str, Any] = {}
    for name, value in keys.items():
        field = model.model_fields.get(name)
        kinds = set(types_within(field.annotation)) if field else set()
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if value == "" and kinds & {NoneType, Path, SecretStr}:
            continue
        if isinstance(value, str) and Path in kinds:
            ready[name] = folder / Path(value).expanduser()
        elif isinstance(value, dict) and inner:
            ready[name] = _ready(value, inner, folder)
        else:
            ready[name] = value
    return ready
