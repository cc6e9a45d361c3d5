"""The models of a document's sections, and the preparation of its keys for them."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Any, Protocol

from pydantic import BaseModel, SecretStr

from watcher.settings import AccountSettings, ChannelSettings, Settings
from watcher.settings.faults import types_within
from watcher.settings.key_names import KeyPath
from watcher.settings.list_sources import is_address


class KnownPortal(Protocol):
    """The properties of a portal that the loader needs."""

    @property
    def account(self) -> type[AccountSettings]:
        """The model of an account."""
        ...

    @property
    def min_every(self) -> timedelta:
        """The shortest time between two checks."""
        ...


class Portals(Protocol):
    """A registry of portals by name, such as the package `watcher.portals`."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all portals."""
        ...

    def find(self, name: str) -> KnownPortal:
        """Return a portal. Raises KeyError for an unknown name."""
        ...


Models = Mapping[KeyPath, type[BaseModel]]
"""The model of each section by key path; () is the whole document."""


def section_models(keys: Mapping[str, Any], portals: Portals) -> Models:
    """Return the model of each section. An account with an unknown portal has none."""
    models: dict[KeyPath, type[BaseModel]] = {(): Settings}
    for name, account in tables(keys, "accounts"):
        portal = account.get("portal")
        if isinstance(portal, str) and portal in portals.names():
            models["accounts", name] = portals.find(portal).account
    for name, _ in tables(keys, "channels"):
        models["channels", name] = ChannelSettings
    return models


def tables(keys: Mapping[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the sections `[kind.NAME]` with their names. Values that are not tables are left out."""
    sections = keys.get(kind)
    for name, table in sections.items() if isinstance(sections, dict) else ():
        if isinstance(table, dict):
            yield name, table


def prepared(keys: Mapping[str, Any], models: Models, folder: Path) -> dict[str, Any]:
    """Return the keys without empty texts that mean "not set", and with paths relative to `folder` resolved."""
    result: dict[Any, Any] = _prepared_section(keys, Settings, folder)
    for key_path, model in models.items():
        if key_path:
            kind, name = key_path
            result[kind] = {**result[kind], name: _prepared_section(result[kind][name], model, folder)}
    return result


def _prepared_section(keys: Mapping[str, Any], model: type[BaseModel], folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in keys.items():
        field = model.model_fields.get(name)
        kinds = set(types_within(field.annotation)) if field else set()
        submodel = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if value == "" and kinds & {NoneType, Path, SecretStr}:
            continue
        if isinstance(value, str) and Path in kinds and not (str in kinds and is_address(value)):
            result[name] = folder / Path(value).expanduser()
        elif isinstance(value, dict) and submodel:
            result[name] = _prepared_section(value, submodel, folder)
        else:
            result[name] = value
    return result
