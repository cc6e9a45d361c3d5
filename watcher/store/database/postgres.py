"""Engines for PostgreSQL, through psycopg 3 (the extra `case-watcher[postgres]`).

There is one writer at a time, as with SQLite, also with several daemons: each write transaction takes the same advisory
lock, which the end of the transaction releases.
"""

from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from watcher.store.database import server_session
from watcher.store.database.server_in_use import mark_in_use
from watcher.store.database.server_url import display_name_of, tls_arguments

_WRITE_WAIT = "10s"  # as long as with SQLite
_ARGUMENTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",  # milliseconds
}
_WRITE_LOCK = int.from_bytes(b"casewrit")


def engine_for(url: URL) -> Engine:
    """Return the engine for transactions. Raises ImportError or NoSuchModuleError if the driver is not installed."""
    # Not the isolation that the database or the user may have as a default: one with a snapshot of its own would be of
    # the time before the writer's lock was taken.
    engine = _engine(url, holds_lock=False, pool_pre_ping=True, isolation_level="READ COMMITTED")
    name = display_name_of(url)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        mark_in_use(connection, name)

    @event.listens_for(engine, "checkout")
    def _checkout(connection: Any, *_: object) -> None:
        connection.read_only = None  # SQLAlchemy leaves False after a reading transaction, against the server's default

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WRITE_WAIT}'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")

    return engine


def for_reading(engine: Engine) -> Engine:
    """Return the engine for read-only transactions that see one consistent state."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def engine_for_locks(url: URL) -> Engine:
    """Return an engine with one connection per lock: the end of the connection, for any reason, releases the lock."""
    return _engine(url, holds_lock=True, poolclass=NullPool, pool_reset_on_return=None, isolation_level="AUTOCOMMIT")


def _engine(url: URL, *, holds_lock: bool, **options: Any) -> Engine:
    arguments = {name: value for name, value in _ARGUMENTS.items() if name not in url.query}
    arguments |= {"client_encoding": "utf8", **tls_arguments(url)}
    engine = create_engine(url, connect_args=arguments, **options)
    positional, named = engine.dialect.create_connect_args(url)
    connect = partial(engine.dialect.connect, *positional, **{**named, **arguments})

    @event.listens_for(engine, "connect", insert=True)
    def _prepare(connection: Any, _: object) -> None:
        server_session.prepare(connection, name=display_name_of(url), holds_lock=holds_lock, connect=connect)

    return engine
