"""A glance at books that lie in a file: opened to be read and no more, by the standard library.

SQLAlchemy and SQLModel take longer to import than a command that only looks takes for all the rest.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from watcher.errors import StoreUnusable
from watcher.store.database.locks import FileLocks
from watcher.store.database.query import Query, RunQuery
from watcher.store.database.schema import HEAD
from watcher.store.database.sqlite_errors import reason_of
from watcher.store.queries.views import AccountsView, OutboxView
from watcher.store.view import StoreReader

_IN_A_FILE = "sqlite:///"


def _moment_of(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode()).replace(tzinfo=UTC)  # the tables hold UTC, and do not say so


def _date_of(text: bytes) -> date:
    return date.fromisoformat(text.decode())


def _truth_of(text: bytes) -> bool:
    return text != b"0"


def _read_by_type() -> None:
    """By the type that a column was declared with. Counts for connections that ask for it alone: those made below.

    Said anew before each: a process has one table of these, and whoever else imports sqlite3 may write in it.
    """
    sqlite3.register_converter("DATETIME", _moment_of)
    sqlite3.register_converter("DATE", _date_of)
    sqlite3.register_converter("BOOLEAN", _truth_of)


class ReadOnlyStore(StoreReader):
    """The books in a file, as they stood when it was opened. Writes nothing into them, whatever is asked."""

    def __init__(self, display_name: str, database: sqlite3.Connection, locks: Path) -> None:
        """Takes what `open_read_only_store` has opened. `locks` is the folder of lock files."""
        super().__init__(self._look)
        self.display_name, self.shared, self.locks = display_name, False, FileLocks(locks)
        self.accounts, self.outbox = AccountsView(self._look), OutboxView(self._look)
        self._database = database

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    @contextmanager
    def _look(self) -> Iterator[RunQuery]:
        try:
            yield self._answer
        except sqlite3.Error as error:
            raise StoreUnusable(f"database {self.display_name}: {reason_of(error)}") from error

    def _answer(self, question: Query, **given: object) -> Iterable[Any]:
        return map(_row(question.columns)._make, self._database.execute(question.sql, given))


def open_read_only_store(url: str, *, locks: Path) -> ReadOnlyStore | None:
    """Opens the books of a `database_url` for a look; it sees one state of them until it is closed.

    None where that takes the store itself: for a server, for a file that is not there yet or that the store has to
    bring up to date first, and for whatever is wrong with it, so that it is told in one way.
    """
    where = url.removeprefix(_IN_A_FILE)
    if where == url or not where or "?" in where:
        return None
    # Not mode=ro: who cannot write leaves behind what SQLite keeps beside an open file.
    file = f"file:{quote(str(Path(where).absolute()))}?mode=rw"
    _read_by_type()
    by_type = sqlite3.PARSE_DECLTYPES
    try:
        database = sqlite3.connect(file, uri=True, timeout=0, isolation_level=None, detect_types=by_type)
    except sqlite3.Error:
        return None
    if not _is_ready(database):
        database.close()
        return None
    return ReadOnlyStore(where, database, locks)


def _is_ready(database: sqlite3.Connection) -> bool:
    """Whether it is of this release's schema and can be read beside a writer. Begins the look."""
    try:
        database.execute("PRAGMA query_only=ON")
        mode = database.execute("PRAGMA journal_mode").fetchone()
        database.execute("BEGIN")
        schema = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return False
    return bool(mode == ("wal",) and schema == (HEAD,))


@cache
def _row(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", columns)  # noqa: PYI024 - its columns are the question's
