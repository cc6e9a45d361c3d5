"""The engine and its transactions: one writer at a time, readers undisturbed.

SQLite is in WAL mode with foreign keys on, every write begun as a write; for PostgreSQL see
`watcher.store.database.postgres`.

`reading` and `writing` give one session each, which ends with the block; `looking` answers the questions of a view. A
database that cannot be used is told as `StoreUnusable`, in words a person can act on.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, TextualSelect, column, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool, Pool
from sqlmodel import Session

from watcher.errors import StoreUnusable
from watcher.privacy.private_file import create_private_file
from watcher.store.database import postgres, sqlite_errors
from watcher.store.database.query import Query, RunQuery
from watcher.store.database.tables import Row

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an alert marked as sent must survive a power cut, or it is sent again
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA secure_delete=ON",  # what was deleted, or sealed anew, is not left lying in free pages
)


class Database:
    """One database and its connections, shared by threads.

    `shared`: it is a server's, so that processes on several machines may work on it. `where` names it in messages.
    """

    def __init__(self, url: str) -> None:
        """Opens nothing yet. Raises `StoreUnusable` for an URL that cannot be understood."""
        parsed = _parsed(url)
        self.shared = postgres.is_postgres(parsed)
        if self.shared:
            self.display_name = postgres.display_name_of(parsed)
            self.engine = _postgres_engine(parsed)
            self._for_reading = self._for_proof = postgres.for_reading(self.engine)
        else:
            self.display_name = parsed.database or parsed.render_as_string(hide_password=True)
            self.engine = self._for_reading = _sqlite_engine(parsed)
            self._for_proof = _sqlite_engine(parsed, poolclass=NullPool)
        self._for_writing = self.engine.execution_options(writing=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent state of the database."""
        with self._session(self._for_reading) as session:
            yield session

    @contextmanager
    def queries(self) -> Iterator[RunQuery]:
        """Answers questions about one consistent state of the database."""
        with self._telling_errors(), self._for_reading.connect() as connection:

            def ask(question: Query, **given: object) -> Iterable[Any]:
                return connection.execute(_statement(question), given)

            yield ask

    def ping(self) -> None:
        """Has the database itself answer: an open connection to SQLite remembers what it has read of the file."""
        with self._telling_errors(), self._for_proof.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM account")

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose writes are all kept when the block ends, or none where it does not end well."""
        with self._session(self._for_writing) as session:
            yield session
            session.commit()

    @contextmanager
    def writing_statements(self) -> Iterator[Connection]:
        """As `writing`, for statements alone: a session takes longer to make than such a statement to run."""
        with self._telling_errors(), self._for_writing.begin() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection for changing the schema, all or nothing.

        Foreign keys are off meanwhile: SQLite alters a table by building it anew, and dropping the old one would
        delete every row that refers to it.
        """
        sqlite = not self.shared
        with self._telling_errors(), self._for_writing.connect() as connection:
            if sqlite:
                _set_foreign_keys(connection, on=False)
            try:
                with connection.begin():
                    yield connection
            finally:
                if sqlite:
                    _set_foreign_keys(connection, on=True)

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with self._telling_errors(), Session(engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def _telling_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StoreUnusable(f"database {self.display_name}: {self._reason(error)}") from error

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()

    def _reason(self, error: DBAPIError) -> str:
        return postgres.reason_of(error) if self.shared else sqlite_errors.reason_of(error.orig)


@lru_cache(maxsize=64)
def _statement(question: Query) -> TextualSelect:
    """With the types of its columns, which say how they are read. Kept: it takes longer to make than to run."""
    columns = Row.metadata.tables[question.table].c
    return text(question.sql).columns(
        *(columns[name] if name in columns else column(name) for name in question.columns)
    )


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or not (postgres.is_postgres(parsed) or parsed.get_backend_name() == "sqlite"):
        raise StoreUnusable("database_url: it should look like sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    return parsed


def _postgres_engine(url: URL) -> Engine:
    try:
        return postgres.engine_for(postgres.with_driver(url))
    except (ImportError, NoSuchModuleError):
        raise StoreUnusable(
            "database_url: the driver for PostgreSQL is missing; install case-watcher[postgres], which brings it"
        ) from None


def _sqlite_engine(url: URL, *, poolclass: type[Pool] | None = None) -> Engine:
    try:
        engine = create_engine(url, poolclass=poolclass)
    except (ArgumentError, ImportError, NoSuchModuleError):
        raise StoreUnusable("database_url: the way to a file is written sqlite:///FILE, with no driver") from None
    _prepare_sqlite(engine, url.database)
    return engine


def _prepare_sqlite(engine: Engine, path: str | None) -> None:
    if path is not None:
        _create_private(Path(path))

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions itself, below, schema changes included
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _set_foreign_keys(connection: Connection, *, on: bool) -> None:
    """On the driver's own connection: within a transaction SQLite ignores this pragma."""
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _create_private(path: Path) -> None:
    """SQLite makes files 0644; cases are nobody else's business. The files beside it take over its mode."""
    try:
        create_private_file(path)
    except OSError as error:
        raise StoreUnusable(f"database {path}: {error.strerror}; check its folder's owner and mode") from None
