"""Checks of the disk of the state folder and of the database on it."""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from watcher.clock.timestamps import local_text
from watcher.doctor.finding import Finding, failed, ok, warning
from watcher.errors import StoreUnusable, os_error_text
from watcher.settings import Settings, config_files
from watcher.settings.derived import DATABASE, database_url
from watcher.settings.load import Configuration
from watcher.store.backup import backup_files
from watcher.store.backup.rotation import backup_folder, backup_time, backups_in, restore_advice
from watcher.store.backup.unmoved_database import unmoved_database
from watcher.store.database import locks, migrate, server_url

_MIB = 1024 * 1024
_LOW_SPACE, _TOO_LOW_SPACE = 200 * _MIB, 20 * _MIB
_NETWORK_TYPES = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "lustre", "davfs", "ncpfs")
_NETWORK_FUSE_TYPES = ("fuse.sshfs", "fuse.rclone", "fuse.davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.nfs")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MOUNTS = Path("/proc/self/mountinfo")


def check_space(state_dir: Path) -> Iterator[Finding]:
    """Report the free space of the state folder's disk."""
    folder = _nearest_existing(state_dir)
    free = shutil.disk_usage(folder).free
    text = f"{free // _MIB} MiB free at {folder}"
    if free < _TOO_LOW_SPACE:
        yield failed("disk", text, "free some space now: changes cannot be recorded")
    elif free < _LOW_SPACE:
        yield warning("disk", text, "free some space before it runs out")
    else:
        yield ok("disk", text)
    if not os.access(folder, os.W_OK | os.X_OK):
        yield failed("disk", f"cannot write to {folder}", "make the user who runs this program its owner")


def check_file_system(url: str, mounts: Path = _MOUNTS) -> Iterator[Finding]:
    """Warn about a network file system, on which SQLite's locks are unreliable.

    See sqlite.org/faq.html, question 5. Reports nothing for a database on a server.
    """
    file = backup_files.sqlite_path(url)
    if file is None:
        return
    folder = file.absolute().parent
    try:
        kind = file_system_type(
            _nearest_existing(folder).resolve(), mounts.read_text(encoding="utf-8", errors="surrogateescape")
        )
    except OSError:
        return  # no mountinfo (not Linux)
    if kind in _NETWORK_TYPES or kind in _NETWORK_FUSE_TYPES:
        yield warning(
            "file system",
            f"{folder} is on a network file system ({kind}), where SQLite's locks are not reliable",
            "set state_dir to a folder on a disk of this machine, or use a database on a server",
        )
    elif kind:
        yield ok("file system", f"{kind}, on this machine")


def check_locks(settings: Settings) -> Iterator[Finding]:
    """Report a state folder without locks. Leaves nothing in it. Reports nothing for a database on a server."""
    if backup_files.sqlite_path(database_url(settings)) is None:
        return
    try:
        locks.check_locks(_nearest_existing(settings.state_dir))
    except StoreUnusable as error:
        yield failed("locks", str(error), "fix this first: no account can be checked until then")
    except OSError:
        return  # a folder that cannot be written to is reported with its free space


def check_database(settings: Settings) -> Iterator[Finding]:
    """Report whether every page of the database is intact. For a server, report whether it responds."""
    url = database_url(settings)
    file = backup_files.sqlite_path(url)
    if file is None:
        yield from _on_server(url)
        return
    try:
        exists = file.exists()
    except OSError as error:
        yield failed(
            "database", f"{file}: {os_error_text(error)}", "run this command as the user who runs `watcher run`"
        )
        return
    if not exists:
        yield ok("database", f"{file} does not exist yet; the first check creates it")
        return
    try:
        contents = backup_files.examine(file)
    except StoreUnusable as error:
        yield failed("database", str(error), f"stop `watcher run`; {restore_advice(settings)}")
        return
    cases = "1 case" if contents.cases == 1 else f"{contents.cases} cases"
    yield ok("database", f"{file} is intact ({cases}, {file.stat().st_size // 1024} KiB)")


def check_unmoved_database(loaded: Configuration) -> Iterator[Finding]:
    """Warn about an SQLite database in state_dir that was not moved to the server of `database_url`."""
    settings = loaded.settings
    try:
        unmoved = unmoved_database(database_url(settings), settings.state_dir / DATABASE)
    except StoreUnusable:
        return  # a server that cannot be reached is reported with the database
    if unmoved is not None:
        text, remedy = unmoved.text("watcher", str(loaded.file))
        yield warning("database", text, remedy)


def check_backups(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Report whether the daemon's backups are up to date. Reports nothing if none are configured."""
    every, folder = settings.backup.every, backup_folder(settings)
    if every is None:
        return
    try:
        backups = backups_in(folder)
    except StoreUnusable as error:
        yield failed("backups", str(error), "make the user who runs this program its owner")
        return
    if not backups:
        yield warning(
            "backups", f"there are none in {folder} yet", "`watcher run` creates the first one when it starts"
        )
        return
    text = f"{len(backups)} in {folder}, the newest from {local_text(backup_time(backups[0]))} UTC"
    if now - backup_time(backups[0]) > 2 * every:
        yield failed("backups", text, "see the log of `watcher run` for the reason")
    else:
        yield ok("backups", text)


def _on_server(url: str) -> Iterator[Finding]:
    try:
        server, schema = migrate.schema_on_server(url)
    except StoreUnusable as error:
        yield failed("database", str(error), "fix this first")
        return
    if schema is None:
        yield ok("database", f"{server} answers and is still empty; the first check creates the tables")
    else:
        yield ok("database", f"{server} answers")
    if (mode := server_url.weak_tls(url)) is not None:
        is_encrypted = mode in {"require", "verify-ca"}
        risk = (
            "others on the network can pose as the server"
            if is_encrypted
            else "others on the network can read the traffic"
        )
        yield warning(
            "database",
            f"the connection to {server} uses sslmode={mode}: {risk}, including the password",
            "set sslmode=verify-full, with sslrootcert=FILE for your own certificate authority",
        )


def database_exists(url: str) -> bool:
    """Return whether there is a database. Raises StoreUnusable if a server cannot be reached."""
    file = backup_files.sqlite_path(url)
    return migrate.schema_on_server(url)[1] is not None if file is None else file.exists()


def _nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if config_files.exists(path))


def file_system_type(folder: Path, mounts: str) -> str:
    """Return the type of the file system at `folder` from Linux's mountinfo (proc(5)), or "" if it is not listed."""
    longest, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), before.split(" ")[4]))
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split(" ")[0]
    return kind
