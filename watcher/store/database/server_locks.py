"""Locks of a PostgreSQL server, and the choice of locks for a database.

They are advisory locks (https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS). Each is held by a
separate connection, whose end releases it. A proxy that assigns connections per transaction, such as pgbouncer in that
mode, would break them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import Event

from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreUnusable
from watcher.store.database import postgres, server_errors
from watcher.store.database.engine import Database
from watcher.store.database.locks import FileLocks, Locks, wait_for_lock


class ServerLocks:
    """Advisory locks of a PostgreSQL server, separate for each database."""

    def __init__(self, database: Database) -> None:
        """Connect to nothing yet."""
        self._display_name = database.display_name
        self._engine = postgres.engine_for_locks(database.engine.url)

    @contextmanager
    def acquire(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> Iterator[None]:
        """See `Locks.acquire`."""
        key = lock_key(name)
        with self._translated_errors():
            connection = self._engine.connect()
        try:
            with self._translated_errors():
                query = f"SELECT pg_try_advisory_lock({key})"
                wait_for_lock(lambda: bool(connection.exec_driver_sql(query).scalar()), name, wait, stop)
            yield
        finally:
            connection.close()

    def verify(self) -> None:
        """Do nothing: a lock of the server cannot be deleted."""

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StoreUnusable(f"database {self._display_name}: {server_errors.reason_of(error)}") from error


def locks_of(database: Database, folder: Path) -> Locks:
    """Return the locks of a database: files in `folder` for SQLite, advisory locks for a server."""
    return ServerLocks(database) if database.shared else FileLocks(folder)


def lock_key(name: str) -> int:
    """Return the key of a lock on the server: 64 bits from its name, the same in every process and release."""
    digest = blake2b(name.encode(), digest_size=8, person=b"case-watcher").digest()
    return int.from_bytes(digest, signed=True)
