"""Where secrets are looked for outside the TOML file: in the environment, in the secrets folder, in the keyring.

A secret stays the text that it is: pydantic-settings' own sources would read a password of digits as a number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from watcher.errors import SettingsFaults, os_error_text
from watcher.settings.config_files import readable_by_others
from watcher.settings.faults import types_within
from watcher.settings.key_names import KeyPath, env_name, secret_file_name, toml_key
from watcher.settings.system_keyring import SERVICE, in_keyring

_LONGEST = 64 * 1024
_EVERYBODY = 0o007

# systemd names what LoadCredential=watcher:FOLDER has loaded after the folder: watcher_accounts__family__password.
_OF_A_FOLDER = "watcher_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOrigin:
    """Where one secret was found, never what it is. `where` is a variable's name, a file's path, a keyring's entry."""

    key_path: KeyPath
    source: Literal["environment", "secret file", "keyring", "configuration"]
    display_name: str
    open_to_others: bool = False


def secret_keys(model: type[BaseModel], kind: type, within: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key of `model`, and of the sections in it, whose value is of `kind` or of `kind | None`."""
    for name, field in model.model_fields.items():
        for wanted in types_within(field.annotation):
            if wanted is kind:
                yield (*within, name)
            elif isinstance(wanted, type) and issubclass(wanted, BaseModel):
                yield from secret_keys(wanted, kind, (*within, name))


def find_secret(
    key_path: KeyPath, *, environ: Mapping[str, str], folders: tuple[Path, ...], keyring: bool = False
) -> tuple[SecretStr, SecretOrigin] | None:
    """The secret of this key and where it was found first; None where it is in no such place.

    `keyring`: the system's keyring is asked too, last. Raises `SettingsFaults` for an empty one, for a file that cannot
    be read, and for a keyring that cannot be asked.
    """
    name = env_name(key_path)
    if name in environ:
        return _worth_having(environ[name], SecretOrigin(key_path=key_path, source="environment", display_name=name))
    for file in (
        folder / name
        for folder in folders
        for name in (secret_file_name(key_path), _OF_A_FOLDER + secret_file_name(key_path))
    ):
        try:
            if file.exists():
                text, is_open = _secret_text(file), _is_open_to_others(file, environ)
                origin = SecretOrigin(
                    key_path=key_path, source="secret file", display_name=str(file), open_to_others=is_open
                )
                return _worth_having(text, origin)
        except OSError as error:
            raise SettingsFaults([f"{file}: cannot be read: {os_error_text(error)}"]) from None
    held = in_keyring(secret_file_name(key_path)) if keyring else None
    if held is None:
        return None
    return _worth_having(
        held, SecretOrigin(key_path=key_path, source="keyring", display_name=f"{SERVICE} {secret_file_name(key_path)}")
    )


def _is_open_to_others(file: Path, environ: Mapping[str, str]) -> bool:
    """Of systemd's credentials only what everybody may do counts: newer releases give them mode 0440.

    There the group's bits are the mask of an access list that names the service's user alone.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and file.is_relative_to(folder):
        return bool(file.stat().st_mode & _EVERYBODY)
    return readable_by_others(file)


def _secret_text(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise SettingsFaults([f"{file}: is longer than any secret"])
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SettingsFaults([f"{file}: is not UTF-8 text"]) from None


def _worth_having(text: str, origin: SecretOrigin) -> tuple[SecretStr, SecretOrigin]:
    if not text.strip():
        raise SettingsFaults(
            [f"{origin.display_name}: is empty; give it the value of {toml_key(origin.key_path)} or remove it"]
        )
    return SecretStr(text), origin


class SecretsSource(PydanticBaseSettingsSource):
    """Secrets found outside the TOML file, for pydantic-settings to lay over it; never decoded, never converted."""

    def __init__(self, settings: type[BaseSettings], secrets: Mapping[KeyPath, SecretStr]) -> None:
        """Takes what `find_secret` found."""
        super().__init__(settings)
        self._secrets = secrets

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - its protocol
        """The value of one top-level key, as pydantic-settings asks for it."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All of them, as sections within sections."""
        sections: dict[Any, Any] = {}
        for key_path, secret in self._secrets.items():
            section = sections
            for part in key_path[:-1]:
                section = section.setdefault(part, {})
            section[key_path[-1]] = secret
        return sections


class _Gathered(BaseSettings, extra="allow"):
    """Everything that was said anywhere, not yet checked."""


def with_secrets(keys: Mapping[str, Any], secrets: Mapping[KeyPath, SecretStr]) -> dict[str, Any]:
    """The keys of the TOML file with the secrets found elsewhere in their places."""
    sources = (SecretsSource(_Gathered, secrets), InitSettingsSource(_Gathered, init_kwargs=dict(keys)))
    return _Gathered(_build_sources=(sources, {})).model_extra or {}
