"""The disk under the state folder, and the database on it."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from watcher.clock.timestamps import local_text
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.errors import StoreUnusable, os_error_text
from watcher.settings import Settings, config_files
from watcher.settings.derived import database_url
from watcher.store.backup import backup_files
from watcher.store.backup.rotation import backup_folder, backup_time, backups_in, restore_advice
from watcher.store.database import migrate

_MIB = 1024 * 1024
_TIGHT, _TOO_TIGHT = 200 * _MIB, 20 * _MIB
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "lustre", "davfs", "ncpfs")
_OVER_NETWORK = ("fuse.sshfs", "fuse.rclone", "fuse.davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.nfs")
_MOUNTS = Path("/proc/self/mountinfo")


def check_space(state_dir: Path) -> Iterator[Finding]:
    """What is free where state is kept."""
    there = _nearest(state_dir)
    free = shutil.disk_usage(there).free
    told = f"{free // _MIB} MiB free at {there}"
    if free < _TOO_TIGHT:
        yield failed("disk", told, "free some space: what changes cannot be written down any more")
    elif free < _TIGHT:
        yield warning("disk", told, "free some space before it runs out")
    else:
        yield ok("disk", told)
    if not os.access(there, os.W_OK | os.X_OK):
        yield failed("disk", f"{there} cannot be written to", "give it to the user who runs this program")


def check_file_system(url: str, mounts: Path = _MOUNTS) -> Iterator[Finding]:
    """SQLite's locks cannot be trusted on a network file system (sqlite.org/faq.html, question 5).

    A database that is a server's is no matter of this machine's disks.
    """
    try:
        folder = backup_files.sqlite_path(url).absolute().parent
        kind = file_system(_nearest(folder).resolve(), mounts.read_text(encoding="utf-8", errors="surrogateescape"))
    except (StoreUnusable, OSError):
        return  # on a server; not Linux, or a Linux that does not tell
    if kind in _NETWORK or kind in _OVER_NETWORK:
        yield warning(
            "file system",
            f"{folder} lies on a network file system ({kind}), where SQLite's locks cannot be trusted",
            "set state_dir to a folder on a disk of this machine, or keep the database on a server",
        )
    elif kind:
        yield ok("file system", f"{kind}, on this machine")


def check_database(settings: Settings) -> Iterator[Finding]:
    """Whether the database is whole, every page of it. Of one on a server, whether it answers."""
    url = database_url(settings)
    try:
        file = backup_files.sqlite_path(url)
    except StoreUnusable:
        yield _on_server(url)
        return
    try:
        there = file.exists()
    except OSError as error:
        yield failed("database", f"{file}: {os_error_text(error)}", "run this as the user who runs the watcher")
        return
    if not there:
        yield ok("database", f"{file} is not there yet; it is made at the first start")
        return
    try:
        found = backup_files.examine(file)
    except StoreUnusable as error:
        yield failed("database", str(error), f"stop the watcher; {restore_advice(settings)}")
        return
    cases = "1 case" if found.cases == 1 else f"{found.cases} cases"
    yield ok("database", f"{file} is whole: {cases}, {file.stat().st_size // 1024} KiB")


def check_backups(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether the copies that the daemon is to take are taken; nothing where none are wanted."""
    every, folder = settings.backup.every, backup_folder(settings)
    if every is None:
        return
    try:
        backup_files.sqlite_path(database_url(settings))
    except StoreUnusable:
        yield warning("backups", "a database on a server is not copied", "let its own tools do it (pg_dump)")
        return
    try:
        taken = backups_in(folder)
    except StoreUnusable as error:
        yield failed("backups", str(error), "give it to the user who runs this program")
        return
    if not taken:
        yield warning("backups", f"there is none in {folder} yet", "`watcher run` takes the first one when it starts")
        return
    told = f"{len(taken)} in {folder}, the newest of {local_text(backup_time(taken[0]))} UTC"
    if now - backup_time(taken[0]) > 2 * every:
        yield failed("backups", told, "`watcher run` says in its log why it takes none")
    else:
        yield ok("backups", told)


def _on_server(url: str) -> Finding:
    try:
        where, schema = migrate.schema_on_server(url)
    except StoreUnusable as error:
        return failed("database", str(error), "put right what it names")
    if schema is None:
        return ok("database", f"{where} answers and has no tables yet; they are made at the first start")
    return ok("database", f"{where} answers; its server looks after its files")


def is_there(url: str) -> bool:
    """Whether there is a database to look into. Raises `StoreUnusable` where a server cannot be reached."""
    try:
        file = backup_files.sqlite_path(url)
    except StoreUnusable:
        return migrate.schema_on_server(url)[1] is not None
    return file.exists()


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if config_files.exists(each))


def file_system(folder: Path, mounts: str) -> str:
    """The kind of file system at `place`, by what Linux tells of its mounts (proc(5), mountinfo); "" if by nothing."""
    longest, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split(" ")[4].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split(" ")[0]
    return kind
