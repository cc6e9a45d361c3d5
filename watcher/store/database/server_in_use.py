"""Whether a PostgreSQL database is in use, by any process on any machine.

Every connection holds the same advisory lock, shared, for as long as it lives, and a restore holds it alone
(https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS). So a restore neither begins while a daemon or
a command works on the database, nor does one begin to work on it during a restore.
"""

from typing import Any

from sqlalchemy import Connection, text

from watcher.errors import StoreUnusable
from watcher.messages import _

_IN_USE = int.from_bytes(b"caseopen")
_HOLDERS = text(
    "SELECT DISTINCT host(client_addr) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND datname = current_database() AND pid <> pg_backend_pid()"
    " AND classid = :high AND objid = :low ORDER BY 1"
)


def mark_in_use(connection: Any, name: str) -> None:
    """Mark the database as in use for as long as this connection of psycopg lives.

    `name` is the database's name for messages. Raises `StoreUnusable`, and closes the connection, during a restore.
    """
    (marked,) = connection.execute(f"SELECT pg_try_advisory_lock_shared({_IN_USE})").fetchone()
    connection.commit()
    if not marked:
        connection.close()
        raise StoreUnusable(_("database {name}: a backup is being restored to it; try again later", name=name))


def hold_alone(connection: Connection) -> bool:
    """Keep every other process out until the end of the transaction. Return False if one uses the database."""
    return bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_IN_USE})").scalar())


def machines_using(connection: Connection) -> list[str]:
    """Return the addresses from which other connections use the database."""
    addresses = connection.execute(_HOLDERS, {"high": _IN_USE >> 32, "low": _IN_USE & 0xFFFFFFFF}).scalars()
    return [address or _("this machine") for address in addresses]
