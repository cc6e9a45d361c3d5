"""Attacks on the files of a running process that may lose no change. Each ends with a call of what it returns."""

import os
import random
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

Undo = Callable[[], None]


def _nothing() -> None:
    """Leave it as it is."""


def damage_session(state: Path, pid: int, chance: random.Random) -> Undo:
    """Delete a saved session, cut it off, or overwrite it."""
    del pid
    damage = chance.choice(("", "substr(content, 1, 20)", "randomblob(200)"))
    sql = f"UPDATE sealed SET content = {damage}" if damage else "DELETE FROM sealed"  # noqa: S608 - constants
    with suppress(sqlite3.Error), closing(_connect(state, timeout=1)) as connection, connection:
        connection.execute(sql + " WHERE purpose = 'session'")
    return _nothing


def delete_letters(state: Path, pid: int, chance: random.Random) -> Undo:
    """Delete every saved letter."""
    del pid, chance
    for path in state.glob("notices/**/*.pdf"):
        with suppress(OSError):
            path.unlink()
    return _nothing


def fill_disk(state: Path, pid: int, chance: random.Random) -> Undo:
    """Let the system refuse to write beyond some place in a file, as a full disk does."""
    size = max((path.stat().st_size for path in state.glob("watcher.sqlite3*")), default=0)
    return _limit(pid, resource.RLIMIT_FSIZE, max(1, size - 4096 * chance.randint(-4, 4)))


def fill_file_system(state: Path, pid: int, chance: random.Random) -> Undo:
    """Fill the file system of the folder, except for a few pages, if it is one of its own (see `small_file_system`)."""
    del pid
    if not state.parent.is_mount():
        return _nothing
    filler = state.parent / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    with suppress(OSError):
        os.truncate(filler, max(0, filler.stat().st_size - 4096 * chance.randint(0, 12)))
    return lambda: filler.unlink(missing_ok=True)


def take_descriptors(state: Path, pid: int, chance: random.Random) -> Undo:
    """Let the process open hardly any more files."""
    del state
    with suppress(OSError):
        held = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return _limit(pid, resource.RLIMIT_NOFILE, held + chance.randint(0, 3))
    return _nothing


def hold_database(state: Path, pid: int, chance: random.Random) -> Undo:
    """Write to the database for longer than anyone waits."""
    del pid, chance
    try:
        connection = _connect(state, timeout=0.2)
    except sqlite3.Error:
        return _nothing  # there is none yet
    with suppress(sqlite3.Error):
        connection.execute("BEGIN IMMEDIATE")

    def undo() -> None:
        with closing(connection), suppress(sqlite3.Error):
            connection.rollback()

    return undo


ATTACKS = (damage_session, delete_letters, fill_disk, fill_file_system, take_descriptors, hold_database)


def replace_database(state: Path) -> None:
    """Put a copy of the database in its place, as a restore of files does. Nothing may write meanwhile."""
    copy = state / "copy"
    with closing(_connect(state, timeout=5)) as connection, closing(sqlite3.connect(copy)) as target:
        connection.backup(target)
    copy.chmod(0o600)
    for suffix in ("-wal", "-shm"):
        (state / f"watcher.sqlite3{suffix}").unlink(missing_ok=True)
    copy.replace(state / "watcher.sqlite3")


@contextmanager
def small_file_system(folder: Path) -> Iterator[None]:
    """Mount a file system of a few MiB on the folder until the context ends. Without the privilege, do nothing."""
    mount = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "adversary", str(folder)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield
        return
    try:
        yield
    finally:
        subprocess.run([shutil.which("umount") or "umount", "--lazy", str(folder)], check=False)


def _connect(state: Path, *, timeout: float) -> sqlite3.Connection:
    address = f"file:{state}/watcher.sqlite3?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=timeout, check_same_thread=False)


def _limit(pid: int, limit: int, value: int) -> Undo:
    with suppress(OSError):
        soft, hard = resource.prlimit(pid, limit)
        resource.prlimit(pid, limit, (min(value, hard) if hard != resource.RLIM_INFINITY else value, hard))

        def undo() -> None:
            with suppress(OSError):
                resource.prlimit(pid, limit, (soft, hard))

        return undo
    return _nothing
