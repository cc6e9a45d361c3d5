"""Locks that other processes see and that a kill releases.

With SQLite they are files, held with flock. With PostgreSQL, where the processes may be on several machines, they are
the server's advisory locks (https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS), held by a
connection of their own, whose end releases them; a proxy that lends connections out by the transaction, such as
pgbouncer can, would break them.
"""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import Event
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreUnusable
from watcher.store import postgres
from watcher.store.database import Database

_PAUSE = 0.1


class Busy(Exception):
    """Another process (or thread) holds the lock."""


class Locks(Protocol):
    """Locks by name."""

    def hold(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> AbstractContextManager[None]:
        """Holds the lock for the block. Waits up to `wait` real seconds for it, then raises `Busy`.

        Raises `StoreUnusable` where the locks themselves are out of reach.
        """
        ...


class FileLocks:
    """A folder of locks, one file each."""

    def __init__(self, folder: Path) -> None:
        """The folder is made on first use, for the owner alone."""
        self._folder = folder

    @contextmanager
    def hold(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> Iterator[None]:
        """As `Locks` says."""
        file = self._open(self._folder / f"{_safe(name)}.lock")
        try:
            _acquire(lambda: _flock(file), name, wait, stop)
            yield
        finally:
            os.close(file)

    def _open(self, path: Path) -> int:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnusable(f"lock {path}: {error.strerror}; check its folder's owner and mode") from None


class ServerLocks:
    """Advisory locks of a PostgreSQL server; those of one database are nothing to another."""

    def __init__(self, database: Database) -> None:
        """Connects to nothing yet."""
        self._where = database.where
        self._engine = postgres.engine_for_locks(database.engine.url)

    @contextmanager
    def hold(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> Iterator[None]:
        """As `Locks` says."""
        key = number_of(name)
        with self._telling():
            connection = self._engine.connect()
        try:
            with self._telling():
                query = f"SELECT pg_try_advisory_lock({key})"
                _acquire(lambda: bool(connection.exec_driver_sql(query).scalar()), name, wait, stop)
            yield
        finally:
            connection.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StoreUnusable(f"database {self._where}: {postgres.reason_of(error)}") from error


def locks_of(database: Database, folder: Path) -> Locks:
    """The locks that go with a database: files in `folder` for SQLite, else the server's own."""
    return ServerLocks(database) if database.shared else FileLocks(folder)


def number_of(name: str) -> int:
    """The key of a lock on the server: 64 bits of its name, the same in every process and release."""
    digest = blake2b(name.encode(), digest_size=8, person=b"case-watcher").digest()
    return int.from_bytes(digest, signed=True)


def _acquire(taken: Callable[[], bool], name: str, wait: float, stop: Event | None) -> None:
    until = time.monotonic() + wait
    while not taken():
        if time.monotonic() >= until or (stop is not None and stop.is_set()):
            raise Busy(name)
        time.sleep(_PAUSE)


def _flock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _safe(name: str) -> str:
    return re.sub(r"[^a-z0-9]", lambda found: f"_{ord(found[0]):x}_", name)
