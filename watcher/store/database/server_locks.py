"""The locks of a PostgreSQL server, and which locks go with which database.

They are advisory locks (https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS), held by a connection
of their own, whose end releases them; a proxy that lends connections out by the transaction, such as pgbouncer can,
would break them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import Event

from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreUnusable
from watcher.store.database import postgres
from watcher.store.database.engine import Database
from watcher.store.database.locks import FileLocks, Locks, acquire


class ServerLocks:
    """Advisory locks of a PostgreSQL server; those of one database are nothing to another."""

    def __init__(self, database: Database) -> None:
        """Connects to nothing yet."""
        self._where = database.display_name
        self._engine = postgres.engine_for_locks(database.engine.url)

    @contextmanager
    def acquire(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> Iterator[None]:
        """As `Locks` says."""
        key = lock_key(name)
        with self._telling():
            connection = self._engine.connect()
        try:
            with self._telling():
                query = f"SELECT pg_try_advisory_lock({key})"
                acquire(lambda: bool(connection.exec_driver_sql(query).scalar()), name, wait, stop)
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


def lock_key(name: str) -> int:
    """The key of a lock on the server: 64 bits of its name, the same in every process and release."""
    digest = blake2b(name.encode(), digest_size=8, person=b"case-watcher").digest()
    return int.from_bytes(digest, signed=True)
