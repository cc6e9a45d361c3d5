"""What is particular to PostgreSQL, through psycopg 3 (the extra `case-watcher[postgres]`).

Writes follow one another, as with SQLite: each takes the same advisory lock, which its transaction's end releases. So
whatever holds of one writer at a time holds here too, several daemons or one.
"""

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

_PREFIXES = ("postgres", "postgresql")
_DRIVER = "postgresql+psycopg"
_WRITE_WAIT = "10s"  # as long as with SQLite
_PATIENCE = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
_WRITING = int.from_bytes(b"casewrit")
_DEAD_AFTER = (
    # A client whose machine has vanished without a word: the server lets go of its locks after about two minutes.
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
    """Whether the URL means PostgreSQL, with whatever driver."""
    return url.drivername.split("+")[0] in _PREFIXES


def with_driver(url: URL) -> URL:
    """The URL with psycopg 3 as its driver, where it names none."""
    return url.set(drivername=_DRIVER) if url.drivername in _PREFIXES else url


def display_name_of(url: URL) -> str:
    """Which database this is, for messages: no user, no password, nothing of the query, which may hold one too."""
    return f"{url.database or url.username or 'postgres'} at {url.host or 'this machine'}"


def engine_for(url: URL) -> Engine:
    """The engine for transactions. Raises what SQLAlchemy raises where psycopg is not installed."""
    engine = create_engine(url, connect_args=_patience(url), pool_pre_ping=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WRITE_WAIT}'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITING})")

    return engine


def for_reading(engine: Engine) -> Engine:
    """The same, for transactions that see one consistent state and write nothing."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def engine_for_locks(url: URL) -> Engine:
    """An engine whose connections are made for one lock each: their end releases it, however it comes about."""
    engine = create_engine(
        url,
        connect_args=_patience(url),
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
    """What went wrong, in words. Of what is not known here the first line only: the rest may quote what was written."""
    said = str(error.orig)
    known = next((reason for sign, reason in _REASONS.items() if sign in said.lower()), None)
    return known or (said.splitlines() or [type(error.orig).__name__])[0]


def _patience(url: URL) -> dict[str, str]:
    return {name: value for name, value in _PATIENCE.items() if name not in url.query}
