"""Locks that other processes see and that a kill releases.

For SQLite they are files held with flock. For PostgreSQL, where the processes may be on several machines, they are
advisory locks of the server: see `watcher.store.database.server_locks`.
"""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Lock
from typing import Protocol

from watcher.errors import StoreLost, StoreUnusable, os_error_text, system_reason
from watcher.messages import _
from watcher.store.database.open_file import is_same_file

_PAUSE = 0.1  # seconds


class Busy(Exception):
    """Another process (or thread) holds the lock."""


class HeldLock(Protocol):
    """A lock while it is held."""

    def verify(self) -> None:
        """Raise `LockLost` (a server's lock) or `StoreLost` (a file) if another process may have it by now."""
        ...


class Locks(Protocol):
    """Locks by name."""

    def acquire(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> AbstractContextManager[HeldLock]:
        """Hold the lock for the block. Waits up to `wait` seconds (monotonic), or until `stop`, then raises `Busy`.

        Raises `StoreUnusable` if the lock cannot be opened or its file system has no locks.
        """
        ...

    def verify(self) -> None:
        """Raise `StoreLost` if a lock that is held here no longer excludes others."""
        ...


class FileLocks:
    """A folder with one file for each lock."""

    def __init__(self, folder: Path) -> None:
        """The folder is created on first use, for the owner only. Its parent must exist."""
        self._folder = folder
        self._held: dict[int, Path] = {}
        self._holding = Lock()

    @contextmanager
    def acquire(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> Iterator[HeldLock]:
        """See `Locks.acquire`."""
        path = self._folder / f"{_safe(name)}.lock"
        taken: list[int] = []
        wait_for_lock(lambda: self._take(path, taken), name, wait, stop)
        (file,) = taken
        with self._holding:
            self._held[file] = path
        try:
            yield self
        finally:
            with self._holding:
                del self._held[file]
                os.close(file)

    def holder(self, name: str) -> int | None:
        """Return the id of the process that holds the lock, as far as Linux shows it."""
        with suppress(OSError):
            status = (self._folder / f"{_safe(name)}.lock").stat()
            file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
            for line in Path("/proc/locks").read_text("ascii").splitlines():
                _, kind, _, _, pid, locked, *_ = line.replace("-> ", "").split()
                if kind == "FLOCK" and locked == file and int(pid) > 0:
                    return int(pid)
        return None

    def verify(self) -> None:
        """Raise `StoreLost` if the file of a lock that is held was deleted or replaced: others could take that lock."""
        with self._holding:  # another thread may release a lock, and its descriptor may become another file's
            for file, path in self._held.items():
                if not is_same_file(file, path):
                    raise StoreLost(_("lock {path} was deleted or replaced while this program was using it", path=path))

    def _take(self, path: Path, taken: list[int]) -> bool:
        """Try to lock the file that the path names, and add its descriptor to `taken`."""
        file = self._open(path)
        try:
            if _flock(file, self._folder) and is_same_file(file, path):
                taken.append(file)
        finally:
            if not taken:
                os.close(file)
        return bool(taken)

    def _open(self, path: Path) -> int:
        try:
            # Not its parents: a state folder that was deleted stays deleted.
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnusable(
                _(
                    "lock {path}: {reason}; check the owner and mode of its folder",
                    path=path,
                    reason=system_reason(error),
                )
            ) from None


def wait_for_lock(try_lock: Callable[[], bool], name: str, wait: float, stop: Event | None) -> None:
    """Call `try_lock` until it succeeds; see `Locks.acquire`."""
    deadline = time.monotonic() + wait
    while not try_lock():
        if time.monotonic() >= deadline or (stop is not None and stop.is_set()):
            raise Busy(name)
        time.sleep(_PAUSE)


def check_locks(folder: Path) -> None:
    """Hold a lock in an existing folder for a moment, on a file without a name.

    Raises `StoreUnusable` if its file system has no locks, and OSError if no file can be created.
    """
    with TemporaryFile(dir=folder) as file:
        _flock(file.fileno(), folder)


def _flock(file: int, folder: Path) -> bool:
    """Return whether the lock was free. Network file systems answer ENOLCK, EOPNOTSUPP, ENOSYS, or EBADF (flock(2))."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreUnusable(
            _(
                "{folder} is on a file system without locks ({reason}); set state_dir to a folder on a disk "
                "of this machine",
                folder=folder,
                reason=os_error_text(error),
            )
        ) from None
    return True


def _safe(name: str) -> str:
    return re.sub(r"[^a-z0-9]", lambda match: f"_{ord(match[0]):x}_", name)
