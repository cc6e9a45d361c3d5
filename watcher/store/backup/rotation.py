"""Scheduled backups, and advice on which one to restore if the database is damaged."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote

import structlog

from watcher.errors import StoreDamaged, StoreUnusable, system_reason
from watcher.messages import _, mark
from watcher.privacy.private_file import create_private_folder
from watcher.settings import Settings
from watcher.settings.derived import database_url
from watcher.store.backup import backup_files

_NAME = re.compile(r"watcher-([0-9]{8}T[0-9]{6}Z)\.sqlite3")
_CLOCK_TOLERANCE = timedelta(minutes=1)
_STAMP = "%Y%m%dT%H%M%SZ"
_log = structlog.get_logger(__name__)


def backup_folder(settings: Settings) -> Path:
    """Return the folder of backups: from the configuration, otherwise in state_dir."""
    return settings.backup.folder or settings.state_dir / "backups"


def back_up(settings: Settings, *, now: datetime) -> Path | None:
    """Create a backup if one is due, then delete all but the newest `keep`. Return its file, or None if none was due.

    Only files with the names that this function gives are deleted, and only after a new good copy exists. Backups from
    the future, which were made while the clock was ahead, count as made now. Raises `StoreUnusable`.
    """
    every, folder = settings.backup.every, backup_folder(settings)
    present = _without_future(backups_in(folder), now)
    if every is None or (present and now - backup_time(present[0]) < every):
        return None
    try:
        create_private_folder(folder)
    except OSError as error:
        raise StoreUnusable(_("backup.folder {folder}: {reason}", folder=folder, reason=system_reason(error))) from None
    target = folder / _name(now)
    backup_files.create_backup(database_url(settings), target)
    for old in backups_in(folder)[settings.backup.keep :]:
        old.unlink(missing_ok=True)
    _log.info("backup_created", file=str(target))
    return target


def next_backup(settings: Settings, *, now: datetime) -> datetime | None:
    """Return when `back_up` next creates a backup, `now` if there is none yet; None if backups are off.

    Raises `StoreUnusable`.
    """
    every, present = settings.backup.every, backups_in(backup_folder(settings))
    if every is None or not present:
        return None if every is None else now
    return min(backup_time(present[0]), now) + every


def _without_future(files: list[Path], now: datetime) -> list[Path]:
    """Rename the files, newest first, that are from the future: the newest as made now, others a second earlier each.

    Raises `StoreUnusable`.
    """
    future = [file for file in files if backup_time(file) > now + _CLOCK_TOLERANCE]
    renamed = [file.with_name(_name(now - timedelta(seconds=order))) for order, file in enumerate(future)]
    for file, target in zip(future, renamed, strict=True):
        try:
            file.replace(target)
        except OSError as error:
            raise StoreUnusable(_("backup {file}: {reason}", file=file, reason=system_reason(error))) from None
    return sorted({*renamed, *files[len(future) :]}, reverse=True)


def _name(moment: datetime) -> str:
    return f"watcher-{moment.astimezone(UTC):{_STAMP}}.sqlite3"


def backups_in(folder: Path) -> list[Path]:
    """Return the backups in a folder, newest first, good or not. Raises `StoreUnusable` if it cannot be read."""
    try:
        return sorted((file for file in folder.iterdir() if _NAME.fullmatch(file.name)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreUnusable(_("backup.folder {folder}: {reason}", folder=folder, reason=system_reason(error))) from None


def restore_advice(settings: Settings) -> str:
    """Return what to do about a damaged database: restore the newest backup that is good, if there is one."""
    folder = backup_folder(settings)
    try:
        present = backups_in(folder)
    except StoreUnusable as error:
        return _(
            "cannot look for backups: {reason}. `watcher restore FILE` restores one from another place", reason=error
        )
    for file in present:
        try:
            backup = backup_files.examine(file)
        except StoreUnusable:
            continue
        text = mark("the newest good backup is {file}. `watcher restore {quoted}` restores it and deletes nothing")
        if backup.newest:
            text = mark(
                "the newest good backup is {file}, with the history until {end} UTC. `watcher restore {quoted}`"
                " restores it and deletes nothing"
            )
        return _(text, file=file, end=backup.newest, quoted=quote(str(file)))
    return _(
        "there is no good backup in {folder}. `watcher restore FILE` restores one from another place", folder=folder
    )


def with_restore_advice(error: StoreUnusable, settings: Settings) -> StoreUnusable:
    """Return an error of the same kind that also says what to do."""
    kind = StoreDamaged if isinstance(error, StoreDamaged) else StoreUnusable
    return kind(_("{reason}; {advice}", reason=error, advice=restore_advice(settings)))


def backup_time(file: Path) -> datetime:
    """Return when a backup was started, from its name."""
    match = _NAME.fullmatch(file.name)
    return datetime.strptime(match[1] if match else "", _STAMP).replace(tzinfo=UTC)
