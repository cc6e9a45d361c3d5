"""The files of an open SQLite database, and whether their paths still name them.

If another program replaces, moves, or deletes them, an open connection continues on the old files, where nobody finds
what it writes. A side file that is deleted is worse: the next program creates another one, and the two overwrite each
other's pages (https://www.sqlite.org/howtocorrupt.html).
"""

import os
from contextlib import suppress
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from pathlib import Path
from tempfile import TemporaryFile

from watcher.errors import StoreLost, StoreUnusable, os_error_text
from watcher.messages import _, mark
from watcher.store.database.sqlite_errors import DISK_FULL, NOT_WRITABLE

SIDE_FILES = ("-wal", "-shm")
"""What SQLite appends to the name of a database for the files beside it."""

Identity = tuple[int, int]
_PROBE = bytes(64 * 1024)
_DELETED = mark("{file} was deleted or moved while this program was using it; nothing more was written to it")
_REPLACED = mark("{file} was replaced by another file while this program was using it; nothing more was written to it")
_REASONS = {
    ENOSPC: DISK_FULL,
    EDQUOT: DISK_FULL,
    EROFS: NOT_WRITABLE,
    EACCES: NOT_WRITABLE,
    EPERM: NOT_WRITABLE,
}


class OpenFiles:
    """The database file and, after `include_side_files`, those that SQLite has put beside it. Thread-safe."""

    def __init__(self, database: Path) -> None:
        """Take the file that the path names now. Raises `StoreUnusable` if it cannot be examined."""
        self.database = database
        self._identities = {database: identity_of(database)}
        self._has_content = False

    def include_side_files(self) -> None:
        """Take the side files too. They keep their identity while a connection is open. Now the database has tables."""
        self._has_content = True
        for suffix in SIDE_FILES:
            file = Path(f"{self.database}{suffix}")
            if (identity := identity_of(file)) is not None:
                self._identities = {**self._identities, file: identity}

    def _is_empty(self) -> bool:
        with suppress(OSError):  # the next `verify` says what happened to it
            return not self.database.stat().st_size
        return False

    @property
    def identity(self) -> Identity | None:
        """Device and inode of the database."""
        return self._identities[self.database]

    @property
    def is_replaced(self) -> bool:
        """Whether the path of the database no longer names it."""
        return identity_of(self.database) != self.identity

    def new_path(self) -> Path | None:
        """Return the path that the database has now if it was moved; None if it was deleted, or if that is unknown.

        Only Linux knows the paths of open files (proc(5)).
        """
        for descriptor in Path("/proc/self/fd").glob("*"):
            with suppress(OSError):
                status = descriptor.stat()
                if (status.st_dev, status.st_ino) == self.identity and status.st_nlink:
                    return descriptor.readlink()
        return None

    def side_files(self) -> list[Path]:
        """Return the paths that still name a side file of the database."""
        side_files = (file for file in self._identities if file != self.database)
        return [file for file in side_files if identity_of(file) == self._identities[file]]

    def verify(self) -> None:
        """Raise `StoreLost` if a path no longer names the file that was taken. Does not open it."""
        for file, identity in self._identities.items():
            current = identity_of(file)
            if current != identity:
                text = _DELETED if current is None else _REPLACED
                raise StoreLost(_(text, file=file))
        if self._has_content and self._is_empty():
            raise StoreLost(
                _("{database} was emptied while this program was using it", database=self.database), in_place=True
            )


def probe_disk(database: Path) -> None:
    """Write to the database's folder, on a file without a name. Raises `StoreUnusable` with the reason if that fails.

    SQLite itself would not notice: a small write reuses space of its log on a disk that is full.
    """
    try:
        with TemporaryFile(dir=database.parent, buffering=0) as file:
            file.write(_PROBE)
    except OSError as error:
        raise StoreUnusable(_("database {name}: {reason}", name=database, reason=_reason(error))) from None


def _reason(error: OSError) -> str:
    known = _REASONS.get(error.errno or 0)
    return _(known) if known else os_error_text(error)


def is_same_file(descriptor: int, path: Path) -> bool:
    """Return whether the path names the open file. Raises `StoreUnusable` if the path cannot be examined."""
    status = os.fstat(descriptor)
    return identity_of(path) == (status.st_dev, status.st_ino)


def identity_of(file: Path) -> Identity | None:
    """Return device and inode, or None if there is no such file."""
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreUnusable(
            _("{file}: {reason}; check the owner and mode of its folder", file=file, reason=os_error_text(error))
        ) from None
    return status.st_dev, status.st_ino
