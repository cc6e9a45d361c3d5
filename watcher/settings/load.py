"""Loading of the configuration. All faults are reported together.

A secret is read from the first of these places that has it: the environment, the secrets folder, the system's keyring
if `keyring` is set, and the TOML file.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from watcher.errors import SettingsFaults
from watcher.messages import _
from watcher.settings import AccountSettings, Settings, checks
from watcher.settings.checks import ChannelFault
from watcher.settings.config_files import (
    Document,
    credentials_dirs,
    default_config_files,
    default_secrets_dirs,
    default_state_dir,
    exists,
    find_file,
    read_document,
)
from watcher.settings.faults import fault_lines
from watcher.settings.key_names import KeyPath
from watcher.settings.secret_sources import SecretOrigin, find_secret, secret_keys, with_secrets
from watcher.settings.sections import Portals, prepared, section_models, tables
from watcher.settings.system_keyring import KeyringFaults

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A validated configuration with its file and the origin of each secret."""

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
    """Return the settings from `path` (--config) or from the default locations.

    `channel_fault` checks each channel's URL; without it any text is accepted. Raises `SettingsFaults` with one line
    for each fault: the file, the key, and what would be valid. No line shows a secret.
    """
    return load_configuration(path, environ=environ, portals=portals, channel_fault=channel_fault).settings


def load_configuration(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    portals: Portals,
    channel_fault: ChannelFault | None = None,
) -> Configuration:
    """Return the settings as `load` does, with the details that `watcher doctor` reports."""
    file = find_file(path, environ)
    if file is None:
        files = ", ".join(str(file) for file in default_config_files(environ))
        raise SettingsFaults([_("there is no configuration in {files}; `watcher init` creates one", files=files)])
    loader = _Loader(read_document(file), environ, portals)
    settings = loader.settings()
    if settings is not None:
        loader.add_faults(checks.interval_faults(settings, portals))
        loader.add_faults(checks.login_faults(settings))
        loader.add_faults(checks.web_faults(settings))
        loader.add_faults(checks.url_faults(settings, channel_fault) if channel_fault else ())
    if settings is None or loader.faults:
        raise SettingsFaults(loader.faults)
    return Configuration(file=file, settings=settings, origins=tuple(loader.origins))


class _Loader:
    """Builds the settings from one document and collects the faults."""

    def __init__(self, document: Document, environ: Mapping[str, str], portals: Portals) -> None:
        self.faults: list[str] = []
        self.origins: list[SecretOrigin] = []
        self._document, self._environ, self._portals = document, environ, portals
        self._models = section_models(document.keys, portals)
        self._keys = prepared(document.keys, self._models, document.file.absolute().parent)

    def add_faults(self, faults: Iterable[str]) -> None:
        """Add faults of the document."""
        self.faults += [f"{self._document.file}: {fault}" for fault in faults]

    def settings(self) -> Settings | None:
        """Return the settings, or None if faults prevent building them."""
        folders = self._secret_folders()
        keys = with_secrets(self._keys, self._secrets(folders))
        keys.setdefault("state_dir", default_state_dir(self._environ))
        keys.setdefault("secrets_dir", folders[0] if folders else None)
        keys["accounts"] = self._accounts(keys.get("accounts", {}))
        keys["channels"] = self._channels(keys.get("channels", {}))
        return self._validated(Settings, keys)

    def _validated(self, model: type[Model], keys: Any, key_path: KeyPath = ()) -> Model | None:
        try:
            return model.model_validate(keys)
        except ValidationError as error:
            self.add_faults(fault_lines(error, model=model, key_path=key_path))
            return None

    def _secret_folders(self) -> tuple[Path, ...]:
        configured = self._keys.get("secrets_dir")
        if configured is None:
            return default_secrets_dirs(self._environ)
        if not isinstance(configured, Path):
            return ()
        credentials = credentials_dirs(self._environ)
        if credentials and not os.access(configured, os.X_OK):
            return credentials  # only root can read the folder, and systemd passes copies to the service
        if not exists(configured) or not configured.is_dir():
            self.add_faults(
                [_("secrets_dir: {folder} does not exist, or you have no permission to read it", folder=configured)]
            )
        return (*credentials, configured)

    def _secrets(self, folders: tuple[Path, ...]) -> dict[KeyPath, SecretStr]:
        possible = [key for within, model in self._models.items() for key in secret_keys(model, SecretStr, within)]
        possible += [key for name, keys in tables(self._keys, "accounts") for key in self._keys_of_account(name, keys)]
        in_file = [key for key in possible if self._is_in_file(key)]
        accounts = {("accounts", name) for name, _ in tables(self._keys, "accounts")}
        self.add_faults(checks.file_mode_faults(self._document, in_file))
        self.add_faults(checks.shared_variable_faults(possible))
        self.faults += checks.unknown_variable_faults(self._environ, possible, accounts - set(self._models))
        elsewhere = {key: secret for key in possible if (secret := self._find_elsewhere(key, folders))}
        file = str(self._document.file)
        origins = {key: SecretOrigin(key_path=key, source="configuration", display_name=file) for key in in_file}
        origins |= {key: origin for key, (_, origin) in elsewhere.items()}
        self.origins += [origins[key] for key in sorted(origins)]
        return {key: secret for key, (secret, _) in elsewhere.items()}

    def _keys_of_account(self, name: str, keys: Mapping[str, Any]) -> list[KeyPath]:
        model = self._models.get(("accounts", name))
        if model is None or not issubclass(model, AccountSettings):
            return []
        return [("accounts", name, *key) for key in model.secret_keys_of(keys)]

    def _find_elsewhere(self, key_path: KeyPath, folders: tuple[Path, ...]) -> tuple[SecretStr, SecretOrigin] | None:
        try:
            keyring = self._keys.get("keyring") is True
            return find_secret(key_path, environ=self._environ, folders=folders, keyring=keyring)
        except KeyringFaults as faults:
            named = [f"{self._document.file}: {fault}" for fault in faults.faults]
        except SettingsFaults as faults:
            named = list(faults.faults)
        self.faults += [fault for fault in named if fault not in self.faults]
        return None

    def _is_in_file(self, key_path: KeyPath) -> bool:
        value: Any = self._keys
        for part in key_path:
            value = value.get(part) if isinstance(value, dict) else None
        return value is not None and value != ""

    def _accounts(self, sections: Any) -> Any:
        """Return the accounts, each validated by its portal's model. Those with faults are left out."""
        if not isinstance(sections, dict):
            return sections
        accounts: dict[str, AccountSettings] = {}
        for name, keys in sections.items():
            key_path = ("accounts", name)
            faults = list(checks.section_faults(key_path, keys))
            if not faults:
                faults = list(checks.portal_faults(key_path, keys, self._portals))
            self.add_faults(faults)
            model = self._models.get(key_path)
            if model is not None and not faults:
                account = self._validated(model, {**keys, "name": name}, key_path)
                accounts |= {name: account} if isinstance(account, AccountSettings) else {}
        return accounts

    def _channels(self, sections: Any) -> Any:
        """Return the channels with their names added. The model `Settings` validates them."""
        if not isinstance(sections, dict):
            return sections
        accounts = [name for name, _ in tables(self._keys, "accounts")]
        named: dict[str, Any] = {}
        for name, keys in sections.items():
            key_path = ("channels", name)
            faults = list(checks.section_faults(key_path, keys))
            if not faults:
                self.add_faults(checks.chosen_account_faults(key_path, keys, accounts))
                named[name] = {**keys, "name": name}
            self.add_faults(faults)
        return named
