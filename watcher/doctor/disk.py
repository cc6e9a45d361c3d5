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
from watcher.messages import _, mark, plural
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
_SPOOFABLE = mark(
    "the connection to {server} uses sslmode={mode}: others on the network can pose as the server and get the password"
)
_READABLE = mark(
    "the connection to {server} uses sslmode={mode}: others on the network can read the traffic, including the password"
)


def check_space(state_dir: Path) -> Iterator[Finding]:
    """Report the free space of the state folder's disk."""
    folder = _nearest_existing(state_dir)
    free = shutil.disk_usage(folder).free
    text = _("{size} MiB free at {folder}", size=free // _MIB, folder=folder)
    if free < _TOO_LOW_SPACE:
        yield failed(_("disk"), text, _("free some space now: changes cannot be recorded"))
    elif free < _LOW_SPACE:
        yield warning(_("disk"), text, _("free some space before it runs out"))
    else:
        yield ok(_("disk"), text)
    if not os.access(folder, os.W_OK | os.X_OK):
        text = _("cannot write to {folder}", folder=folder)
        yield failed(_("disk"), text, _("make the user who runs this program its owner"))


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
        text = _(
            "{folder} is on a network file system ({kind}), where SQLite's locks are not reliable",
            folder=folder,
            kind=kind,
        )
        remedy = _("set state_dir to a folder on a disk of this machine, or use a database on a server")
        yield warning(_("file system"), text, remedy)
    elif kind:
        yield ok(_("file system"), _("{kind}, on this machine", kind=kind))


def check_locks(settings: Settings) -> Iterator[Finding]:
    """Report a state folder without locks. Leaves nothing in it. Reports nothing for a database on a server."""
    if backup_files.sqlite_path(database_url(settings)) is None:
        return
    try:
        locks.check_locks(_nearest_existing(settings.state_dir))
    except StoreUnusable as error:
        yield failed(_("locks"), str(error), _("fix this first: no account can be checked until then"))
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
        remedy = _("run this command as the user who runs `watcher run`")
        yield failed(_("database"), f"{file}: {os_error_text(error)}", remedy)
        return
    if not exists:
        yield ok(_("database"), _("{path} does not exist yet; the first check creates it", path=file))
        return
    try:
        contents = backup_files.examine(file)
    except StoreUnusable as error:
        remedy = _("stop `watcher run`; {advice}", advice=restore_advice(settings))
        yield failed(_("database"), str(error), remedy)
        return
    text = plural(
        "{file} is intact ({n} case, {size} KiB)",
        "{file} is intact ({n} cases, {size} KiB)",
        contents.cases,
        file=file,
        size=_size(file) // 1024,
    )
    yield ok(_("database"), text)


def check_unmoved_database(loaded: Configuration) -> Iterator[Finding]:
    """Warn about an SQLite database in state_dir that was not moved to the server of `database_url`."""
    settings = loaded.settings
    try:
        unmoved = unmoved_database(database_url(settings), settings.state_dir / DATABASE)
    except StoreUnusable:
        return  # a server that cannot be reached is reported with the database
    if unmoved is not None:
        text, remedy = unmoved.text("watcher", str(loaded.file))
        yield warning(_("database"), text, remedy)


def check_backups(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Report whether the daemon's backups are up to date. Reports nothing if none are configured."""
    every, folder = settings.backup.every, backup_folder(settings)
    if every is None:
        return
    try:
        backups = backups_in(folder)
    except StoreUnusable as error:
        yield failed(_("backups"), str(error), _("make the user who runs this program its owner"))
        return
    if not backups:
        text = _("there are none in {folder} yet", folder=folder)
        yield warning(_("backups"), text, _("`watcher run` creates the first one when it starts"))
        return
    newest = backup_time(backups[0])
    text = _(
        "{number} in {folder}, the newest from {time} UTC", number=len(backups), folder=folder, time=local_text(newest)
    )
    if now - newest > 2 * every:
        yield failed(_("backups"), text, _("see the log of `watcher run` for the reason"))
    else:
        yield ok(_("backups"), text)


def _on_server(url: str) -> Iterator[Finding]:
    try:
        server, schema = migrate.schema_on_server(url)
    except StoreUnusable as error:
        yield failed(_("database"), str(error), _("fix this first"))
        return
    if schema is None:
        text = _("{server} answers and is still empty; the first check creates the tables", server=server)
        yield ok(_("database"), text)
    else:
        yield ok(_("database"), _("{server} answers", server=server))
    if (mode := server_url.weak_tls(url)) is not None:
        risk = _SPOOFABLE if mode in {"require", "verify-ca"} else _READABLE
        remedy = _("set sslmode=verify-full, with sslrootcert=FILE for your own certificate authority")
        yield warning(_("database"), _(risk, server=server, mode=mode), remedy)


def _size(database: Path) -> int:
    """Return the bytes of a database with what SQLite has not yet moved into it from the file beside it."""
    files = (database, database.with_name(f"{database.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


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
