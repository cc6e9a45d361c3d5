"""Errors of a PostgreSQL server, and of the way to it, as messages a person can act on.

A server names its errors with a code (SQLSTATE, https://www.postgresql.org/docs/15/errcodes-appendix.html); its texts
may be in any language. Errors before the server has accepted the connection have only a text, of libpq, psycopg, or
the server.
"""

import re

from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreUnusable
from watcher.messages import _, mark
from watcher.store.database.schema import FOREIGN, OTHER_TABLES

_ENDED = mark("its server ended the connection; the program tries again")
_STARTING = mark("its server is starting or stopping; the program tries again")
_REFUSED = mark("the server refuses the user name or the password of database_url")
_NO_DATABASE = mark("the server has no such database; create it with createdb")
_CROWDED = mark("the server accepts no more connections; raise its max_connections")
_FORBIDDEN = mark("the user of database_url lacks the permission; make it the owner of the database")

_BY_STATE = {
    "08003": _ENDED,
    "08006": _ENDED,
    "25006": mark("it is read-only: a standby, or default_transaction_read_only is on"),
    "25P03": _ENDED,
    "28": _REFUSED,
    "3D000": _NO_DATABASE,
    "3F000": mark("the schema in its search_path does not exist"),
    "42501": _FORBIDDEN,
    "42703": OTHER_TABLES,
    "42710": FOREIGN,
    "42P01": OTHER_TABLES,
    "42P07": FOREIGN,
    "53100": mark("the server's disk is full; nothing was lost. Free some space there"),
    "53200": mark("the server is out of memory; the program tries again"),
    "53300": _CROWDED,
    "55P03": mark("another program kept the database locked for too long"),
    "57014": mark("the server canceled a statement that took too long; its statement_timeout may be too short"),
    "57P": _ENDED,
    "57P03": _STARTING,
    "57P04": mark("the database was removed from its server"),
}
_BEFORE_LOGIN = {
    r"password authentication failed|no pg_hba\.conf entry|authentication failed": _REFUSED,
    r"role .* does not exist": mark("the server does not know the user of database_url"),
    r"no password supplied": mark("the server needs a password; add it to database_url, preferably as a secret"),
    r"database .* does not exist": _NO_DATABASE,
    r"permission denied for database": _FORBIDDEN,
    r"could not translate host name|failed to resolve host": mark(
        "the name of its server is unknown; check the host in database_url"
    ),
    r"root certificate file .* does not exist": mark(
        "the file of certificate authorities (sslrootcert in database_url) does not exist"
    ),
    r"certificate verify failed|does not match host name|could not get server's host name": mark(
        "its server has no certificate for this host name from an authority that this machine trusts; add"
        " sslmode=verify-full&sslrootcert=FILE to database_url, where FILE contains the server's authority"
    ),
    r"does not support ssl": mark(
        "its server does not offer TLS, so others could read the password; turn on ssl there, or, on a network that"
        " only you use, add sslmode=disable to database_url"
    ),
    r"connection refused": mark(
        "nothing answers there; check that the server is running, and the host and port of database_url"
    ),
    r"no such file or directory": mark(
        "nothing answers there; check that the server is running, and the path of its socket"
    ),
    r"timeout expired|connection timeout": mark(
        "its server does not answer; check host and port of database_url, and the network"
    ),
    r"too many (clients|connections)|remaining connection slots": _CROWDED,
    r"the database system is": _STARTING,
    r"server closed the connection|terminating connection|connection is lost|the connection is closed": _ENDED,
}
_REFUSAL = re.compile(r"connection to server .* failed: (\w+: .*)")


def reason_of(error: DBAPIError) -> str:
    """Return what went wrong. Of an unknown error only the first line: the rest may quote what was written."""
    state = getattr(error.orig, "sqlstate", None) or ""
    message = str(error.orig)
    line = (message.splitlines() or [type(error.orig).__name__])[0]
    if state:
        known = next((_BY_STATE[state[:length]] for length in (5, 3, 2) if state[:length] in _BY_STATE), None)
        return _(known) if known else line
    known = next((reason for sign, reason in _BEFORE_LOGIN.items() if re.search(sign, message.lower())), None)
    if known is None and (refusal := _REFUSAL.search(line)) is not None:
        return _(
            "its server refuses the connection; check user, password, and database of database_url: {refusal}",
            refusal=refusal[1],
        )
    return _(known) if known else line


def store_error(name: str, error: DBAPIError) -> StoreUnusable:
    """Return the error to raise when a server refused. `name` is the database's name for messages."""
    return StoreUnusable(_("database {name}: {reason}", name=name, reason=reason_of(error)))
