"""A configuration written to disk and loaded with portals for tests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, SecretStr

from watcher.errors import SettingsFaults
from watcher.settings import AccountSettings, Settings
from watcher.settings.load import Configuration, load_configuration
from watcher.settings.section import Section


class Mailbox(Section):
    host: str
    port: int = 993
    username: str
    password: SecretStr | None = None


class OfficeAccount(AccountSettings):
    username: str = ""
    password: SecretStr | None = None
    mailbox: Mailbox | None = None
    careful: bool = True
    daily_only: bool = False
    per_second: Annotated[float, Field(gt=0)] | None = None

    @property
    def min_every(self) -> timedelta | None:
        return timedelta(days=1) if self.daily_only else None


class ApiAccount(AccountSettings):
    client_secret: SecretStr
    tags: Annotated[tuple[str, ...], Field(min_length=1)] = ("a",)


@dataclass(frozen=True)
class Portal:
    account: type[AccountSettings]
    min_every: timedelta


@dataclass(frozen=True)
class Portals:
    portals: Mapping[str, Portal] = field(
        default_factory=lambda: {
            "api": Portal(ApiAccount, timedelta()),
            "office": Portal(OfficeAccount, timedelta(hours=1)),
        }
    )

    def names(self) -> tuple[str, ...]:
        return tuple(self.portals)

    def find(self, name: str) -> Portal:
        return self.portals[name]


@dataclass(frozen=True)
class ConfigFolder:
    """A folder with a `watcher.toml` that is written and loaded."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "watcher.toml"

    def write(self, text: str | bytes, *, mode: int = 0o600) -> Path:
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.file.chmod(mode)
        return self.file

    def configuration(self, text: str | bytes, environ: Mapping[str, str] | None = None) -> Configuration:
        self.write(text)
        return load_configuration(self.file, environ=environ or {}, portals=Portals())

    def settings(self, text: str | bytes, environ: Mapping[str, str] | None = None) -> Settings:
        return self.configuration(text, environ).settings

    def faults(self, text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        """Return the faults, without the file name at their start."""
        with pytest.raises(SettingsFaults) as error:
            self.configuration(text, environ)
        return [fault.removeprefix(f"{self.file}: ") for fault in error.value.faults]


def as_toml(keys: Mapping[str, Any]) -> str:
    """Return keys and values as TOML, with sections as inline tables."""
    return "".join(f"{json.dumps(key)} = {_value(value)}\n" for key, value in keys.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
