"""Reads the configuration, all of it or not at all: every fault is found in one go.

A secret is looked for in the environment, then in the secrets folder, then, where `keyring` says so, in
the system's keyring, then in the TOML file; the first one found wins.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from watcher.errors import SettingsFaults
from watcher.settings import AccountSettings, Settings, checks
from watcher.settings.checks import ChannelFault
from watcher.settings.config_files import (
    Document,
    credentials_dirs,
    exists,
    find_file,
    read_document,
    usual_files,
    usual_secrets_dirs,
    usual_state_dir,
)
from watcher.settings.faults import lines_of
from watcher.settings.key_names import KeyPath
from watcher.settings.secret_sources import SecretOrigin, find_secret, secret_keys, with_secrets
from watcher.settings.sections import Portals, models_of, prepared, tables

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A configuration, checked, with the file it stands in and where each secret was found."""

    file: Path
    settings: Settings
    origins: tuple[SecretOrigin, ...]


def load(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    portals: Portals,
    channel_fault: ChannelFault | None = None,
) -> Settings:
    """The settings, from `path` (--config) or from where a configuration usually is.

    `channel_fault` looks at each channel's URL; without it any text will do. Raises `SettingsFaults` with one line
    for each fault: the file, the key, and what would be right. No line shows a secret.
    """
    return load_configuration(path, environ=environ, portals=portals, channel_fault=channel_fault).settings


def load_configuration(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    portals: Portals,
    channel_fault: ChannelFault | None = None,
) -> Configuration:
    """As `load`, with what `watcher doctor` wants to know besides."""
    file = find_file(path, environ)
    if file is None:
        places = ", ".join(str(place) for place in usual_files(environ))
        raise SettingsFaults([f"no configuration in {places}; `watcher init` writes one"])
    reading = _Reading(read_document(file), environ, portals)
    settings = reading.settings()
    if settings is not None:
        reading.note(checks.interval_faults(settings, portals))
        reading.note(checks.url_faults(settings, channel_fault) if channel_fault else ())
    if settings is None or reading.faults:
        raise SettingsFaults(reading.faults)
    return Configuration(file=file, settings=settings, origins=tuple(reading.origins))


class _Reading:
    """One reading of one document; gathers the faults as it goes."""

    def __init__(self, document: Document, environ: Mapping[str, str], portals: Portals) -> None:
        self.faults: list[str] = []
        self.origins: list[SecretOrigin] = []
        self._document, self._environ, self._portals = document, environ, portals
        self._models = models_of(document.keys, portals)
        self._keys = prepared(document.keys, self._models, document.file.absolute().parent)

    def note(self, faults: Iterable[str]) -> None:
        """Adds faults of the document."""
        self.faults += [f"{self._document.file}: {fault}" for fault in faults]

    def settings(self) -> Settings | None:
        """The whole, or None where a fault leaves nothing to build it from."""
        folders = self._secret_folders()
        whole = with_secrets(self._keys, self._secrets(folders))
        whole.setdefault("state_dir", usual_state_dir(self._environ))
        whole.setdefault("secrets_dir", folders[0] if folders else None)
        whole["accounts"] = self._accounts(whole.get("accounts", {}))
        whole["channels"] = self._channels(whole.get("channels", {}))
        return self._validated(Settings, whole)

    def _validated(self, model: type[Model], keys: Any, key_path: KeyPath = ()) -> Model | None:
        try:
            return model.model_validate(keys)
        except ValidationError as error:
            self.note(lines_of(error, model=model, key_path=key_path))
            return None

    def _secret_folders(self) -> tuple[Path, ...]:
        given = self._keys.get("secrets_dir")
        if given is None:
            return usual_secrets_dirs(self._environ)
        if not isinstance(given, Path):
            return ()
        handed = credentials_dirs(self._environ)
        if handed and not os.access(given, os.X_OK):
            return handed  # root's folder of secrets, of which systemd has handed copies to the service
        if not exists(given) or not given.is_dir():
            self.note([f"secrets_dir: there is no folder {given}, or none that this user may look into"])
        return (*handed, given)

    def _secrets(self, folders: tuple[Path, ...]) -> dict[KeyPath, SecretStr]:
        places = [place for within, model in self._models.items() for place in secret_keys(model, SecretStr, within)]
        written = [place for place in places if self._stands_here(place)]
        accounts = {("accounts", name) for name, _ in tables(self._keys, "accounts")}
        self.note(checks.file_mode_faults(self._document, written))
        self.note(checks.shared_variable_faults(places))
        self.faults += checks.unknown_variable_faults(self._environ, places, accounts - set(self._models))
        found = {place: secret for place in places if (secret := self._found_elsewhere(place, folders))}
        here = str(self._document.file)
        for place in sorted({*found, *written}):
            origin = (
                found[place][1]
                if place in found
                else SecretOrigin(key_path=place, source="configuration", display_name=here)
            )
            self.origins.append(origin)
        return {place: secret for place, (secret, _) in found.items()}

    def _found_elsewhere(self, key_path: KeyPath, folders: tuple[Path, ...]) -> tuple[SecretStr, SecretOrigin] | None:
        try:
            keyring = self._keys.get("keyring") is True
            return find_secret(key_path, environ=self._environ, folders=folders, keyring=keyring)
        except SettingsFaults as faults:
            self.faults += [fault for fault in faults.faults if fault not in self.faults]
            return None

    def _stands_here(self, key_path: KeyPath) -> bool:
        value: Any = self._keys
        for part in key_path:
            value = value.get(part) if isinstance(value, dict) else None
        return value is not None and value != ""

    def _accounts(self, written: Any) -> Any:
        """The accounts, each checked by its portal's own model; those with faults are left out."""
        if not isinstance(written, dict):
            return written
        good: dict[str, AccountSettings] = {}
        for name, keys in written.items():
            place = ("accounts", name)
            faults = list(checks.section_faults(place, keys))
            if not faults:
                faults = list(checks.portal_faults(place, keys, self._portals))
            self.note(faults)
            model = self._models.get(place)
            if model is not None and not faults:
                account = self._validated(model, {**keys, "name": name}, place)
                good |= {name: account} if isinstance(account, AccountSettings) else {}
        return good

    def _channels(self, written: Any) -> Any:
        """The channels with their names put in; the whole's model checks them."""
        if not isinstance(written, dict):
            return written
        accounts = [name for name, _ in tables(self._keys, "accounts")]
        named: dict[str, Any] = {}
        for name, keys in written.items():
            place = ("channels", name)
            faults = list(checks.section_faults(place, keys))
            if not faults:
                self.note(checks.chosen_account_faults(place, keys, accounts))
                named[name] = {**keys, "name": name}
            self.note(faults)
        return named
