"""Locks of a PostgreSQL server, and the choice of locks for a database.

They are advisory locks (https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS). Each is held by a
separate connection, whose end releases it. A proxy that assigns connections per transaction, such as pgbouncer in that
mode, would break them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import Event, Lock

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from watcher.errors import LockLost
from watcher.messages import _
from watcher.store.database import postgres, server_errors
from watcher.store.database.engine import Database
from watcher.store.database.locks import FileLocks, HeldLock, Locks, wait_for_lock

_log = structlog.get_logger(__name__)


class ServerLocks:
    """Advisory locks of a PostgreSQL server, separate for each database."""

    def __init__(self, database: Database) -> None:
        """Connect to nothing yet."""
        self._display_name = database.display_name
        self._engine = postgres.engine_for_locks(database.engine.url)

    @contextmanager
    def acquire(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> Iterator[HeldLock]:
        """See `Locks.acquire`."""
        key = lock_key(name)
        with self._translated_errors():
            connection = self._engine.connect()
        try:
            with self._translated_errors():
                query = f"SELECT pg_try_advisory_lock({key})"
                wait_for_lock(lambda: bool(connection.exec_driver_sql(query).scalar()), name, wait, stop)
            yield _HeldOnServer(name, key, connection)
        finally:
            connection.close()

    def verify(self) -> None:
        """Do nothing: a lock of the server cannot be deleted."""

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise server_errors.store_error(self._display_name, error) from error


class _HeldOnServer:
    """An advisory lock while it is held. It is lost when the connection that holds it ends. Thread-safe."""

    def __init__(self, name: str, key: int, connection: Connection) -> None:
        self._name, self._connection, self._one_at_a_time = name, connection, Lock()
        # https://www.postgresql.org/docs/15/view-pg-locks.html shows a key as two halves.
        high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
        self._query = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"  # noqa: S608
            f" AND pid = pg_backend_pid() AND classid = {high} AND objid = {low}"
        )

    def verify(self) -> None:
        """See `HeldLock.verify`. Logs it if the lock was lost."""
        try:
            with self._one_at_a_time:
                is_held = self._connection.exec_driver_sql(self._query).scalar() == 1
        except DBAPIError as error:
            raise self._lost(server_errors.reason_of(error)) from error
        if not is_held:
            raise self._lost(_("the server released it"))

    def _lost(self, reason: str) -> LockLost:
        _log.warning("lock_lost", lock=self._name, reason=reason)
        return LockLost(
            _("the lock that keeps other processes away was lost, so this is repeated later ({reason})", reason=reason)
        )


def locks_of(database: Database, folder: Path) -> Locks:
    """Return the locks of a database: files in `folder` for SQLite, advisory locks for a server."""
    return ServerLocks(database) if database.shared else FileLocks(folder)


def lock_key(name: str) -> int:
    """Return the key of a lock on the server: 64 bits from its name, the same in every process and release."""
    digest = blake2b(name.encode(), digest_size=8, person=b"case-watcher").digest()
    return int.from_bytes(digest, signed=True)
