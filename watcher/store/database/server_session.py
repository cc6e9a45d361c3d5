"""The preparation of each connection to a PostgreSQL server.

It sets what the program relies on, whatever the defaults of server, database, and user are, and refuses databases and
connection poolers that the program cannot work with.
"""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from watcher.errors import StoreUnusable
from watcher.messages import _

_SETTINGS = {
    "client_encoding": "UTF8",
    "datestyle": "ISO",
    "timezone": "UTC",
    # If a client's machine disappears, the server ends its transactions and releases its locks after two minutes.
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "15",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "120000",  # milliseconds
    "idle_in_transaction_session_timeout": "60s",
}
_OF_LOCKS = {"idle_session_timeout": "0"}
"""The connection of a lock is idle for as long as the lock is held, and its end would release the lock."""

_PROBES = "ABBAAB"
_PID = "SELECT pg_backend_pid()"


def prepare(connection: Any, *, name: str, holds_lock: bool, connect: Callable[[], Any]) -> None:
    """Prepare a new connection of psycopg. `connect` opens another one like it.

    Raises `StoreUnusable`, and closes the connection, if the database's encoding is not UTF-8, or if a pooler assigns
    connections for each transaction. `name` is the database's name for messages.
    """
    try:
        _refuse_encoding(connection, name)
        settings = _SETTINGS | (_OF_LOCKS if holds_lock else {})
        values = ", ".join(f"('{setting}', '{value}')" for setting, value in settings.items())
        connection.autocommit = True
        # A server of an earlier version knows only some of the settings.
        pid, _ = connection.execute(
            f"SELECT pg_backend_pid(), count(set_config(name, wanted, false)) FROM pg_settings JOIN (VALUES {values})"  # noqa: S608
            " AS settings (setting_name, wanted) ON lower(name) = setting_name"
        ).fetchone()
        if pid != connection.info.backend_pid:  # something is between this program and the server
            with closing(connect()) as other:
                _refuse_pooling(connection, other, name)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise


def _refuse_encoding(connection: Any, name: str) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreUnusable(
            _(
                "database {name}: its encoding is {encoding}, which cannot store all text; create a database "
                "with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and use it in database_url",
                name=name,
                encoding=encoding,
            )
        )


def _refuse_pooling(connection: Any, other: Any, name: str) -> None:
    """Refuse a pooler that gives both connections the same session of the server, or one of them several.

    The order of the questions shows it also where sessions are given out in turn.
    """
    other.autocommit = True
    pids: dict[str, set[int]] = {"A": set(), "B": set()}
    for who in _PROBES:
        pids[who].add((connection if who == "A" else other).execute(_PID, prepare=False).fetchone()[0])
    if pids["A"] == pids["B"] or any(len(seen) > 1 for seen in pids.values()):
        raise StoreUnusable(
            _(
                "database {name}: the connection goes through a pooler (such as pgbouncer) in transaction "
                "mode, where the server's locks do not work; set its pool_mode to session for this database, "
                "or connect to the server directly",
                name=name,
            )
        )
