"""A database file opened for reading only, with the standard library.

This exists for speed: importing SQLAlchemy and SQLModel takes longer than everything else in a command that only shows
something. The queries are those of `watcher.store.queries`.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from watcher.store.database.locks import FileLocks
from watcher.store.database.query import Query, RunQuery
from watcher.store.database.schema import HEAD
from watcher.store.database.sqlite_errors import DAMAGED_VALUE, damaged_row, store_error
from watcher.store.database.sqlite_url import file_uri, split_sqlite_url
from watcher.store.queries.views import AccountsView, OutboxView, WebView
from watcher.store.view import StoreReader


def _moment(value: bytes) -> datetime:
    return datetime.fromisoformat(value.decode()).replace(tzinfo=UTC)  # the tables hold UTC without an offset


def _date(value: bytes) -> date:
    return date.fromisoformat(value.decode())


def _boolean(value: bytes) -> bool:
    return value != b"0"


def _parameter(value: object) -> object:
    """Return a value as the tables hold it."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def _register_converters() -> None:
    """Convert values by the declared type of their column, on connections opened with PARSE_DECLTYPES.

    Registered again before each connection: a process has one table of converters, and any library that imports
    sqlite3 may change it.
    """
    sqlite3.register_converter("DATETIME", _moment)
    sqlite3.register_converter("DATE", _date)
    sqlite3.register_converter("BOOLEAN", _boolean)


class ReadOnlyStore(StoreReader):
    """A database file as it was when it was opened. It cannot be written to."""

    def __init__(self, display_name: str, database: sqlite3.Connection, locks: Path) -> None:
        """Called by `open_read_only_store`. `locks` is the folder of lock files."""
        super().__init__(self._reading)
        self.display_name, self.file, self.shared = display_name, Path(display_name), False
        self.locks = FileLocks(locks)
        self.accounts, self.outbox = AccountsView(self._reading), OutboxView(self._reading)
        self.web = WebView(self._reading)
        self._database = database

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _reading(self) -> Iterator[RunQuery]:
        try:
            yield self._run
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise store_error(self.display_name, error if isinstance(error, sqlite3.Error) else "malformed") from error
        except DAMAGED_VALUE as error:
            raise damaged_row(self.display_name) from error

    def _run(self, query: Query, /, **parameters: object) -> Iterable[Any]:
        values = {name: _parameter(value) for name, value in parameters.items()}
        return map(_row(query.columns)._make, self._database.execute(query.sql, values))


def open_read_only_store(url: str, *, locks: Path) -> ReadOnlyStore | None:
    """Open the database of a `database_url` for reading; it shows one consistent state until it is closed.

    Returns None if the store itself is needed: for a server, for a file that does not exist yet or has another schema,
    and for any error, so that errors are explained in one place.
    """
    path, query = split_sqlite_url(url) or ("", "")
    if not path or query:
        return None
    # Not mode=ro: a connection that cannot write leaves SQLite's -wal and -shm files behind.
    file = file_uri(Path(path), "rw")
    _register_converters()
    by_type = sqlite3.PARSE_DECLTYPES
    try:
        database = sqlite3.connect(file, uri=True, timeout=0, isolation_level=None, detect_types=by_type)
    except sqlite3.Error:
        return None
    if not _begin_reading(database):
        database.close()
        return None
    return ReadOnlyStore(path, database, locks)


def _begin_reading(database: sqlite3.Connection) -> bool:
    """Begin the transaction. Return whether the file has this release's schema and can be read during writes."""
    try:
        database.execute("PRAGMA query_only=ON")
        mode = database.execute("PRAGMA journal_mode").fetchone()
        database.execute("BEGIN")
        schema = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        return False
    return bool(mode == ("wal",) and schema == (HEAD,))


@cache
def _row(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", columns)  # noqa: PYI024 - the columns are those of the query
