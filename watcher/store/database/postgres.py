"""The parts that are specific to PostgreSQL, through psycopg 3 (the extra `case-watcher[postgres]`).

There is one writer at a time, as with SQLite, also with several daemons: each write transaction takes the same advisory
lock, which the end of the transaction releases.
"""

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

_PREFIXES = ("postgres", "postgresql")
_DRIVER = "postgresql+psycopg"
_WRITE_WAIT = "10s"  # as long as with SQLite
_TIMEOUTS = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
_WRITE_LOCK = int.from_bytes(b"casewrit")
_DEAD_AFTER = (
    # If a client's machine disappears, the server releases its locks after about two minutes.
    "SET tcp_keepalives_idle = 60",
    "SET tcp_keepalives_interval = 15",
    "SET tcp_keepalives_count = 4",
)
_REASONS = {
    "password authentication failed": "the server refuses the name or the password of database_url",
    "no password supplied": "the server wants a password; put it in database_url, best as a secret",
    "does not exist": "the server has no such database; createdb makes one",
    "could not translate host name": "its server's name is not known; check the host in database_url",
    "failed to resolve host": "its server's name is not known; check the host in database_url",
    "connection refused": "nothing answers there; is the server running, are host and port of database_url right?",
    "no such file or directory": "nothing answers there; is the server running, is its socket where it should be?",
    "timeout expired": "its server does not answer; check host and port of database_url, and the network",
    "lock timeout": "another program has been writing for too long",
    "permission denied": "the user of database_url may not do this there; make it the owner of the database",
    "read-only transaction": "it cannot be written to; is this a standby?",
    "no space left": "the server's disk is full; nothing was lost, free some space there",
    "too many clients": "the server takes no more connections; raise its max_connections",
    "the database system is": "its server is starting or stopping; it is tried again",
    "server closed the connection": "its server ended the connection; it is tried again",
    "terminating connection": "its server ended the connection; it is tried again",
    "connection is lost": "its server is gone; it is tried again",
}


def is_postgres(url: URL) -> bool:
    """Return whether the URL is for PostgreSQL, with any driver."""
    return url.drivername.split("+")[0] in _PREFIXES


def with_driver(url: URL) -> URL:
    """Return the URL with psycopg 3 as its driver if it names none."""
    return url.set(drivername=_DRIVER) if url.drivername in _PREFIXES else url


def display_name_of(url: URL) -> str:
    """Return the database's name for messages: without user, password, or query, which may hold a password too."""
    return f"{url.database or url.username or 'postgres'} at {url.host or 'this machine'}"


def engine_for(url: URL) -> Engine:
    """Return the engine for transactions. Raises ImportError or NoSuchModuleError if the driver is not installed."""
    engine = create_engine(url, connect_args=_timeouts(url), pool_pre_ping=True)

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
    engine = create_engine(
        url,
        connect_args=_timeouts(url),
        poolclass=NullPool,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
    )

    @event.listens_for(engine, "engine_connect")
    def _connect(connection: Connection) -> None:
        for setting in _DEAD_AFTER:
            connection.exec_driver_sql(setting)

    return engine


def reason_of(error: DBAPIError) -> str:
    """Return what went wrong. Of an unknown error only the first line: the rest may quote what was written."""
    message = str(error.orig)
    known = next((reason for sign, reason in _REASONS.items() if sign in message.lower()), None)
    return known or (message.splitlines() or [type(error.orig).__name__])[0]


def _timeouts(url: URL) -> dict[str, str]:
    return {name: value for name, value in _TIMEOUTS.items() if name not in url.query}
