"""Which file the configuration stands in, what it says, and the folders that are taken where it names none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watcher.errors import SettingsFaults, os_error_text
from watcher.text.toml import NotToml, read_toml

_OTHERS = 0o077
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A TOML file as it was read. `open_to_others`: group or others can read or write it."""

    file: Path
    keys: dict[str, Any]
    open_to_others: bool


def find_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file: `given` (--config), $WATCHER_CONFIG, then the first of the usual places that is there.

    None where none is. A file that was named is returned whether it is there or not.
    """
    if given is not None:
        return given
    if named := environ.get("WATCHER_CONFIG"):
        return Path(named).expanduser()
    return next((place for place in usual_files(environ) if exists(place)), None)


def usual_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration is looked for when none is named, in this order."""
    user = _xdg(environ, "XDG_CONFIG_HOME", ".config")
    return (Path("watcher.toml"), user / "watcher" / "watcher.toml", Path("/etc/watcher/watcher.toml"))


def usual_state_dir(environ: Mapping[str, str]) -> Path:
    """Where state is kept when nothing is set: systemd's $STATE_DIRECTORY, else the user's state folder."""
    if given := environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "watcher"


def usual_secrets_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where secret files are looked for when `secrets_dir` is not set: systemd's credentials, then a container's."""
    return tuple(place for place in (*credentials_dirs(environ), Path("/run/secrets")) if place.is_dir())


def credentials_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where systemd has put the credentials of this service; none where it has not."""
    given = Path(environ.get("CREDENTIALS_DIRECTORY") or "")
    return (given,) if given.is_absolute() and given.is_dir() else ()


def _xdg(environ: Mapping[str, str], name: str, below_home: str) -> Path:
    # The XDG base directory specification says to ignore a relative path.
    configured = Path(environ.get(name) or "")
    return configured if configured.is_absolute() else Path(environ.get("HOME") or Path.home()) / below_home


def read_document(file: Path) -> Document:
    """Reads a TOML file. Raises `SettingsFaults` where it cannot be read, is no UTF-8 or no TOML."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        open_to_others = readable_by_others(file)
    except OSError as error:
        raise SettingsFaults([f"{file}: cannot be read: {os_error_text(error)}"]) from None
    if len(content) > _LARGEST:
        raise SettingsFaults([f"{file}: is larger than {_LARGEST} bytes; that is no configuration"])
    try:
        # Windows' Notepad puts a byte order mark before the first key.
        keys = read_toml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsFaults([f"{file}: line {line}: is not UTF-8; save the file as UTF-8"]) from None
    except NotToml as error:
        raise SettingsFaults([f"{file}: {error}"]) from None
    return Document(file=file, keys=keys, open_to_others=open_to_others)


def exists(path: Path) -> bool:
    """Whether this user finds such a file or folder: what lies where they may not enter is not there for them."""
    try:
        return path.exists()
    except PermissionError:
        return False


def readable_by_others(file: Path) -> bool:
    """Whether anybody but the file's owner can read or write it. Raises OSError where it is not there."""
    return bool(file.stat().st_mode & _OTHERS)
