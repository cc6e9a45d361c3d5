"""The configuration file and the default locations of configuration, state, and secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watcher.errors import SettingsFaults, os_error_text
from watcher.messages import _
from watcher.text.toml import NotToml, read_toml

_GROUP_AND_OTHERS = 0o077
_MAX_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed TOML file. `open_to_others` means that its group or others can read or write it."""

    file: Path
    keys: dict[str, Any]
    open_to_others: bool


def find_file(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file: `named` (--config), $WATCHER_CONFIG, or the first default file that exists.

    None if there is none. A named file need not exist.
    """
    if named is not None:
        return named
    if from_environ := environ.get("WATCHER_CONFIG"):
        return Path(from_environ).expanduser()
    return next((file for file in default_config_files(environ) if exists(file)), None)


def default_config_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files where a configuration is looked for, in order of priority."""
    user = _xdg(environ, "XDG_CONFIG_HOME", ".config")
    return (Path("watcher.toml"), user / "watcher" / "watcher.toml", Path("/etc/watcher/watcher.toml"))


def default_state_dir(environ: Mapping[str, str]) -> Path:
    """Return the default state folder: systemd's $STATE_DIRECTORY, else the user's state folder."""
    if directories := environ.get("STATE_DIRECTORY"):
        return Path(directories.split(":")[0])
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "watcher"


def default_secrets_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of secret files if `secrets_dir` is not set: systemd's credentials, then a container's."""
    return tuple(folder for folder in (*credentials_dirs(environ), Path("/run/secrets")) if folder.is_dir())


def credentials_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of this service's credentials from systemd, if any."""
    folder = Path(environ.get("CREDENTIALS_DIRECTORY") or "")
    return (folder,) if folder.is_absolute() and folder.is_dir() else ()


def _xdg(environ: Mapping[str, str], name: str, below_home: str) -> Path:
    # The XDG base directory specification says to ignore a relative path.
    configured = Path(environ.get(name) or "")
    return configured if configured.is_absolute() else Path(environ.get("HOME") or Path.home()) / below_home


def read_document(file: Path) -> Document:
    """Read a TOML file. Raises `SettingsFaults` if it cannot be read or is not valid UTF-8 and TOML."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_SIZE + 1)
        open_to_others = readable_by_others(file)
    except OSError as error:
        raise SettingsFaults([_("{file}: cannot be read: {reason}", file=file, reason=os_error_text(error))]) from None
    if len(content) > _MAX_SIZE:
        raise SettingsFaults(
            [_("{file}: is larger than {limit} bytes, so it cannot be a configuration", file=file, limit=_MAX_SIZE)]
        )
    try:
        # Windows Notepad writes a byte order mark.
        keys = read_toml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsFaults(
            [_("{file}: line {line}: not UTF-8; save the file as UTF-8", file=file, line=line)]
        ) from None
    except NotToml as error:
        raise SettingsFaults([f"{file}: {error}"]) from None
    return Document(file=file, keys=keys, open_to_others=open_to_others)


def exists(path: Path) -> bool:
    """Return whether this user can see the file or folder. Inside a folder that they cannot enter, it is False."""
    try:
        return path.exists()
    except PermissionError:
        return False


def readable_by_others(file: Path) -> bool:
    """Return whether others than the owner can read or write the file. Raises OSError if it does not exist."""
    return bool(file.stat().st_mode & _GROUP_AND_OTHERS)
