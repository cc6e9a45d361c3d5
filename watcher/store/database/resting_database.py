"""The database while no worker runs, as the supervisor watches it.

The open connection keeps the side files in place, and still sees the content after another program has deleted or
replaced the file. Nothing is written through it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watcher.store.database.locks import Locks
from watcher.store.database.open_file import OpenFiles, probe_disk
from watcher.store.database.sqlite_errors import store_error
from watcher.store.database.sqlite_url import file_uri


class RestingDatabase:
    """An SQLite database with its tables, and the locks of this process."""

    def __init__(self, file: Path, locks: Locks) -> None:
        """Open the file. Raises `StoreUnusable`."""
        self.files = OpenFiles(file)
        self._locks = locks
        with self._translated_errors():
            self.connection = sqlite3.connect(file_uri(file, "rw"), uri=True, isolation_level=None)
            self._version = self._data_version()
        self.files.include_side_files()
        self._status = self._file_status()

    def note_content(self) -> None:
        """Remember the content as it is now, so that `has_news` and `was_overwritten` compare with it."""
        with self._translated_errors():
            self._version = self._data_version()
        self._status = self._file_status()

    def has_news(self) -> bool:
        """Return whether another process has written to the database since `note_content`. Raises `StoreUnusable`."""
        with self._translated_errors():
            return self._data_version() != self._version

    def was_overwritten(self) -> bool:
        """Return whether the file has changed: by SQLite, which writes to it rarely, or by another program."""
        return self._file_status() != self._status

    def verify(self) -> None:
        """Raise `StoreLost` if the database or a lock was deleted, moved, or replaced, or the database emptied."""
        self.files.verify()
        self._locks.verify()

    def probe(self) -> None:
        """Find out whether the disk takes data. Raises `StoreUnusable`."""
        probe_disk(self.files.database)

    def close(self) -> None:
        """Close the connection. If it is the last one, SQLite writes what its log holds into the file."""
        self.connection.close()

    def _data_version(self) -> int:
        row: tuple[int] = self.connection.execute("PRAGMA data_version").fetchone()
        return row[0]

    def _file_status(self) -> tuple[int, int]:
        try:
            status = self.files.database.stat()
        except OSError:
            return 0, 0  # `verify` says what happened to it
        return status.st_size, status.st_mtime_ns

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self.files.verify()
            raise store_error(self.files.database, error) from error
