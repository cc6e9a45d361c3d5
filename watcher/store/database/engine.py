"""The database engine and its transactions: one writer at a time, and readers that see one consistent state.

SQLite runs in WAL mode with foreign keys on, and every write transaction begins as one. For PostgreSQL see
`watcher.store.database.postgres`.

`queries` runs queries, `writing` gives a connection for statements. A database that cannot be used raises
`StoreUnusable`, with a message a person can act on.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, TextualSelect, UpdateBase, bindparam, column, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool, Pool
from sqlmodel.sql.sqltypes import UTCDateTime

from watcher.errors import StoreUnusable, system_reason
from watcher.messages import _
from watcher.privacy.private_file import create_private_file
from watcher.store.database import postgres, server_errors, server_url, sqlite_errors
from watcher.store.database.known_databases import KnownDatabases
from watcher.store.database.open_file import OpenFiles, probe_disk
from watcher.store.database.query import Query, RunQuery
from watcher.store.database.sqlite_url import file_uri, split_sqlite_url
from watcher.store.database.tables import Row

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an alert marked as sent must survive a power cut, or it is sent again
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA secure_delete=ON",  # deleted or resealed data does not remain in free pages
)


class Database:
    """A database and its connections, safe to share between threads.

    `shared` is true for a server: processes on several machines may use the database. `display_name` names it in
    messages. `file` is the database file with SQLite, else None, and `open_files` says whether it is still there.
    """

    def __init__(self, url: str, known: KnownDatabases | None = None) -> None:
        """Connect to nothing yet, but create a missing file. Raises `StoreUnusable` for a URL that is not understood.

        A database in `known` must exist: it is not created again.
        """
        parsed = _parsed(url)
        self._known = known
        self.open_files: OpenFiles | None = None
        self._verifications: list[Callable[[], None]] = []
        self.shared = server_url.is_server(url)
        if self.shared:
            self.display_name = server_url.display_name_of(parsed)
            self.engine = _postgres_engine(parsed)
            self._for_reading = self._for_ping = postgres.for_reading(self.engine)
        else:
            self.display_name = parsed.database or parsed.render_as_string(hide_password=True)
            self.engine = self._for_reading = _sqlite_engine(parsed)
            self._for_ping = _sqlite_engine(parsed, poolclass=NullPool)
            if parsed.database:
                self.open_files = self._create(Path(parsed.database))
        self._for_writing = self.engine.execution_options(writing=True)

    @property
    def file(self) -> Path | None:
        """The database file with SQLite, else None."""
        return self.open_files.database if self.open_files else None

    def _create(self, file: Path) -> OpenFiles:
        """Create the file if it is missing and not known."""
        if not file.exists():
            self.refuse_if_known()
        _create_private(file)
        return OpenFiles(file)

    def refuse_if_known(self) -> None:
        """Raise `StoreUnusable` if the database was used before. Called when it is about to be created."""
        if self._known is not None:
            self._known.refuse_new(self.display_name)

    def opened(self, verify_locks: Callable[[], None]) -> None:
        """Remember the database and its side files, now that it has its tables. Writes call `verify_locks` first."""
        self._verifications.append(verify_locks)
        if self.open_files is not None:
            self.open_files.include_side_files()
        self.remember()

    def remember(self) -> None:
        """Remember that the database was used, so that it is not created again if it vanishes."""
        if self._known is not None:
            self._known.add(self.display_name)

    def verify(self) -> None:
        """Raise `StoreLost` if the database or a lock is no longer the file that is open."""
        self._verify_file()
        for verify in self._verifications:
            verify()

    def _verify_file(self) -> None:
        if self.open_files is not None:
            self.open_files.verify()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees one consistent state of the database. A damaged value is `StoreUnusable`."""
        self._verify_file()
        with self._translated_errors(), self._for_reading.connect() as connection:
            try:
                yield connection
            except sqlite_errors.DAMAGED_VALUE as error:
                raise sqlite_errors.damaged_row(self.display_name) from error

    @contextmanager
    def queries(self) -> Iterator[RunQuery]:
        """Run queries on one consistent state of the database, and nothing else."""
        with self.reading() as connection:
            yield queries_on(connection)

    def ping(self) -> None:
        """Make the database itself answer: an open SQLite connection can answer from its cache."""
        self.verify()
        with self._translated_errors(), self._for_ping.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM account")

    def newest_ids(self) -> tuple[int, ...]:
        """Return the highest ids in tables that only grow, read like `ping`."""
        self.verify()
        with self._translated_errors(), self._for_ping.connect() as connection:
            queries = (f"SELECT max(id) FROM {table}" for table in ("change", "alert", "submission"))  # noqa: S608 - our own names
            return tuple(connection.exec_driver_sql(query).scalar() or 0 for query in queries)

    def probe_writing(self) -> None:
        """Find out whether a write would succeed, without writing anything. Raises `StoreUnusable` if not."""
        self.verify()
        if self.file is not None:
            probe_disk(self.file)
        with self.writing() as connection:
            connection.exec_driver_sql("UPDATE meta SET value = value WHERE 1 = 0")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is committed at the end of the block, and rolled back if the block raises.

        Nothing is written to a file that was deleted, moved, or replaced: `StoreLost`.
        """
        self.verify()
        with self._translated_errors(), self._for_writing.begin() as connection:
            self.verify()  # again: `watcher restore` replaces the file while it keeps writers waiting
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a transaction for changing the schema.

        Foreign keys are off during it: SQLite alters a table by rebuilding it, and dropping the old one would delete
        every row that refers to it.
        """
        sqlite = not self.shared
        with self._translated_errors(), self._for_writing.connect() as connection:
            if sqlite:
                _set_foreign_keys(connection, on=False)
            try:
                with connection.begin():
                    yield connection
            finally:
                if sqlite:
                    _set_foreign_keys(connection, on=True)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            self._verify_file()  # a missing or replaced file is the reason for any error
            raise self._store_error(error) from error

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _store_error(self, error: DBAPIError) -> StoreUnusable:
        name = self.display_name
        return server_errors.store_error(name, error) if self.shared else sqlite_errors.store_error(name, error.orig)


def execute_many(connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run a statement for each row of parameters, all with the same names; return how many rows it changed."""
    return connection.execute(statement, rows).rowcount if rows else 0


def queries_on(connection: Connection) -> RunQuery:
    """Return a function that runs queries on an open connection, within its transaction."""

    def run(query: Query, /, **parameters: object) -> Iterable[Any]:
        moments = frozenset(name for name, value in parameters.items() if isinstance(value, datetime))
        return connection.execute(_statement(query, moments), parameters)

    return run


@lru_cache(maxsize=64)
def _statement(query: Query, moments: frozenset[str]) -> TextualSelect:
    """Return the statement with the types of its columns, and of the parameters that are moments.

    Cached because making a statement takes longer than running it.
    """
    typed = Row.metadata.tables[query.table].c
    statement = text(query.sql).bindparams(*(bindparam(name, type_=UTCDateTime()) for name in moments))
    return statement.columns(
        *(column(name, typed[name].type) if name in typed else column(name) for name in query.columns)
    )


def parse_url(url: str) -> URL | None:
    """Return a `database_url`, parsed; None if it is no URL of a database."""
    parts = split_sqlite_url(url)
    try:
        if parts is None:
            return make_url(url)
        return make_url(f"sqlite:///x{parts[1]}").set(database=parts[0])
    except (ArgumentError, ValueError):  # ValueError: the port is no number
        return None


def _parsed(url: str) -> URL:
    is_server = server_url.is_server(url)
    if is_server and (fault := server_url.fault_of(url)) is not None:
        raise StoreUnusable(_("database_url: {reason}", reason=fault))
    parsed = parse_url(url)
    if parsed is None or not (is_server or parsed.get_backend_name() == "sqlite"):
        raise StoreUnusable(_("database_url: it must look like sqlite:///FILE or postgresql://USER@HOST/DATABASE"))
    return parsed


def _postgres_engine(url: URL) -> Engine:
    try:
        return postgres.engine_for(server_url.with_driver(url))
    except (ImportError, NoSuchModuleError):
        raise StoreUnusable(
            _("database_url: the driver for PostgreSQL is missing; install case-watcher[postgres]")
        ) from None


def _sqlite_engine(url: URL, *, poolclass: type[Pool] | None = None) -> Engine:
    try:
        engine = create_engine(url, poolclass=poolclass)
    except (ArgumentError, ImportError, NoSuchModuleError):
        raise StoreUnusable(_("database_url: for a file, use sqlite:///FILE without a driver")) from None
    _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def _never_create(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        if not options.get("uri"):
            arguments[0] = file_uri(Path(arguments[0]), "rw")
            options["uri"] = True

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions in _begin, also for schema changes
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except UnicodeDecodeError:  # sqlite3 quotes the text of a damaged schema
            raise sqlite3.DatabaseError("database disk image is malformed") from None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _set_foreign_keys(connection: Connection, *, on: bool) -> None:
    """Set the pragma on the driver's connection: within a transaction SQLite ignores it."""
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _create_private(path: Path) -> None:
    """Create the file readable by the owner only: SQLite would make it 0644. The files beside it get the same mode."""
    try:
        create_private_file(path)
    except OSError as error:
        reason = system_reason(error)
        raise StoreUnusable(
            _("database {name}: {reason}; check the owner and mode of its folder", name=path, reason=reason)
        ) from None
