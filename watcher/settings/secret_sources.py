"""Secrets from outside the TOML file: the environment, the secrets folder, and the keyring.

Secrets stay text; pydantic-settings' own sources would parse a password of digits as a number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from watcher.errors import SettingsFaults, os_error_text
from watcher.messages import _
from watcher.settings.config_files import readable_by_others
from watcher.settings.faults import types_within
from watcher.settings.key_names import KeyPath, env_name, secret_file_name, toml_key
from watcher.settings.system_keyring import SERVICE, keyring_secret

_MAX_LENGTH = 64 * 1024
_OTHERS = 0o007

# systemd adds the prefix to the files of LoadCredential=watcher:FOLDER: watcher_accounts__family__password.
_SYSTEMD_PREFIX = "watcher_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOrigin:
    """Where a secret was found, without its value. `display_name` is the variable, the file, or the keyring entry."""

    key_path: KeyPath
    source: Literal["environment", "secret file", "keyring", "configuration"]
    display_name: str
    open_to_others: bool = False


def secret_keys(model: type[BaseModel], kind: type, within: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield every key of `model` and its subsections whose type is `kind` or `kind | None`."""
    for name, field in model.model_fields.items():
        for member in types_within(field.annotation):
            if member is kind:
                yield (*within, name)
            elif isinstance(member, type) and issubclass(member, BaseModel):
                yield from secret_keys(member, kind, (*within, name))


def find_secret(
    key_path: KeyPath, *, environ: Mapping[str, str], folders: tuple[Path, ...], keyring: bool = False
) -> tuple[SecretStr, SecretOrigin] | None:
    """Return the secret of a key and its origin, or None. The first place that has it counts.

    With `keyring`, the system's keyring is read last. Raises `SettingsFaults` for an empty secret and for a file or
    keyring that cannot be read.
    """
    name = env_name(key_path)
    if name in environ:
        return _checked(environ[name], SecretOrigin(key_path=key_path, source="environment", display_name=name))
    for file in (
        folder / name
        for folder in folders
        for name in (secret_file_name(key_path), _SYSTEMD_PREFIX + secret_file_name(key_path))
    ):
        try:
            if file.exists():
                text, is_open = _secret_text(file), _is_open_to_others(file, environ)
                origin = SecretOrigin(
                    key_path=key_path, source="secret file", display_name=str(file), open_to_others=is_open
                )
                return _checked(text, origin)
        except OSError as error:
            raise SettingsFaults(
                [_("{file}: cannot be read: {reason}", file=file, reason=os_error_text(error))]
            ) from None
    entry = keyring_secret(secret_file_name(key_path)) if keyring else None
    if entry is None:
        return None
    return _checked(
        entry, SecretOrigin(key_path=key_path, source="keyring", display_name=f"{SERVICE} {secret_file_name(key_path)}")
    )


def _is_open_to_others(file: Path, environ: Mapping[str, str]) -> bool:
    """Return whether others can read the file. For systemd's credentials the group is ignored.

    Newer releases give them mode 0440, where the group's bits are the mask of an access list that contains only the
    service's user.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and file.is_relative_to(folder):
        return bool(file.stat().st_mode & _OTHERS)
    return readable_by_others(file)


def _secret_text(file: Path) -> str:
    with file.open("rb") as stream:
        content = stream.read(_MAX_LENGTH + 1)
    if len(content) > _MAX_LENGTH:
        raise SettingsFaults([_("{file}: is too long for a secret", file=file)])
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SettingsFaults([_("{file}: is not UTF-8 text", file=file)]) from None


def _checked(text: str, origin: SecretOrigin) -> tuple[SecretStr, SecretOrigin]:
    if not text.strip():
        raise SettingsFaults(
            [
                _(
                    "{place}: is empty; set it to the value of {key}, or remove it",
                    place=origin.display_name,
                    key=toml_key(origin.key_path),
                )
            ]
        )
    return SecretStr(text), origin


class SecretsSource(PydanticBaseSettingsSource):
    """A pydantic-settings source of secrets from outside the TOML file. Values are never decoded or converted."""

    def __init__(self, settings: type[BaseSettings], secrets: Mapping[KeyPath, SecretStr]) -> None:
        """`secrets` are those that `find_secret` returned."""
        super().__init__(settings)
        self._secrets = secrets

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - required by pydantic-settings
        """Return the value of one top-level key."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return all secrets as nested sections."""
        sections: dict[Any, Any] = {}
        for key_path, secret in self._secrets.items():
            section = sections
            for part in key_path[:-1]:
                section = section.setdefault(part, {})
            section[key_path[-1]] = secret
        return sections


class _Unchecked(BaseSettings, extra="allow"):
    """All values before validation."""


def with_secrets(keys: Mapping[str, Any], secrets: Mapping[KeyPath, SecretStr]) -> dict[str, Any]:
    """Return the keys of the TOML file merged with the secrets from elsewhere, which have priority."""
    sources = (SecretsSource(_Unchecked, secrets), InitSettingsSource(_Unchecked, init_kwargs=dict(keys)))
    return _Unchecked(_build_sources=(sources, {})).model_extra or {}
