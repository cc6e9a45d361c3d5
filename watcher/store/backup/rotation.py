"""Backups on a schedule, and the newest good one when the database turns out to be damaged.

Only SQLite is copied here; other databases have tools of their own.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import structlog

from watcher.errors import StoreUnusable
from watcher.settings import Settings
from watcher.store.backup import backup_files

_NAME = re.compile(r"watcher-([0-9]{8}T[0-9]{6}Z)\.sqlite3")
_STAMP = "%Y%m%dT%H%M%SZ"
_log = structlog.get_logger(__name__)


def backup_folder(settings: Settings) -> Path:
    """Where backups lie: where the configuration says, else beside the database."""
    return settings.backup.folder or settings.state_dir / "backups"


def back_up(settings: Settings, database: Path, *, now: datetime) -> Path | None:
    """Takes a backup where one is due, then lets go of all but the newest `keep`. Returns it; None: none was due.

    Only files of this program's own naming are ever removed, and only after a new good copy stands. A clock that was
    put back takes no backup until it has caught up. Raises `StoreUnusable`.
    """
    every, folder = settings.backup.every, backup_folder(settings)
    taken = backups_in(folder)
    if every is None or (taken and now - backup_time(taken[0]) < every):
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"backup.folder {folder}: {error.strerror}") from None
    target = folder / f"watcher-{now.astimezone(UTC):{_STAMP}}.sqlite3"
    backup_files.create_backup(database, target)
    for old in backups_in(folder)[settings.backup.keep :]:
        old.unlink(missing_ok=True)
    _log.info("backed up", file=str(target))
    return target


def backups_in(folder: Path) -> list[Path]:
    """The backups in a folder, newest first, good or not. Raises `StoreUnusable` where it cannot be looked into."""
    try:
        return sorted((file for file in folder.iterdir() if _NAME.fullmatch(file.name)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreUnusable(f"backup.folder {folder}: {error.strerror}") from None


def restore_advice(settings: Settings) -> str:
    """What to do about a damaged database: the newest backup that was read through and found good, or that none was."""
    folder = backup_folder(settings)
    try:
        present = backups_in(folder)
    except StoreUnusable as error:
        return f"backups cannot be looked for: {error}; `watcher restore FILE` puts one back from elsewhere"
    for file in present:
        try:
            found = backup_files.examine(file)
        except StoreUnusable:
            continue
        told = f", it tells of what happened until {found.newest} UTC" if found.newest else ""
        return f"the newest good backup is {file}{told}; `watcher restore {file}` puts it back and deletes nothing"
    return f"there is no good backup in {folder}; `watcher restore FILE` puts one back from elsewhere"


def backup_time(file: Path) -> datetime:
    """When a backup was begun, as its name says."""
    found = _NAME.fullmatch(file.name)
    return datetime.strptime(found[1] if found else "", _STAMP).replace(tzinfo=UTC)
