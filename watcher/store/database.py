"""The engine and its transactions: SQLite in WAL mode with foreign keys on, every write begun as a write.

`reading` and `writing` give one session each, which ends with the block. A database that cannot be used is told as
`StoreUnusable`, in words a person can act on.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlmodel import Session

from watcher.errors import StoreUnusable

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an alert marked as sent must survive a power cut, or it is sent again
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA secure_delete=ON",  # what was deleted, or sealed anew, is not left lying in free pages
)
_REASONS = {
    "not a database": "it is no SQLite database, or a damaged one; `watcher restore` brings back a backup",
    "malformed": "the database is damaged; `watcher restore` brings back a backup",
    "disk is full": "the disk is full; nothing was lost, free some space",
    "readonly": "it cannot be written to; check its owner and mode and those of its folder",
    "unable to open": "it cannot be opened; check that its folder exists and belongs to the user who runs this",
    "locked": "another program holds it locked",
    "disk i/o": "the disk reports errors",
}


class Database:
    """One database and its connections, shared by threads."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet. Raises `StoreUnusable` for an URL that cannot be understood."""
        self.url = url
        try:
            parsed = make_url(url)
            self.where = parsed.database or parsed.render_as_string(hide_password=True)
            self.engine = create_engine(url)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StoreUnusable(f"database_url: {type(error).__name__}: it should look like sqlite:///FILE") from None
        self._for_writing = self.engine.execution_options(writing=True)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine, parsed.database)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent state of the database."""
        with self._session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose writes are all kept when the block ends, or none where it does not end well."""
        with self._session(self._for_writing) as session:
            yield session
            session.commit()

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection for changing the schema, all or nothing.

        Foreign keys are off meanwhile: SQLite alters a table by building it anew, and dropping the old one would
        delete every row that refers to it.
        """
        sqlite = self.engine.dialect.name == "sqlite"
        try:
            with self._for_writing.connect() as connection:
                if sqlite:
                    _set_foreign_keys(connection, on=False)
                try:
                    with connection.begin():
                        yield connection
                finally:
                    if sqlite:
                        _set_foreign_keys(connection, on=True)
        except DBAPIError as error:
            raise StoreUnusable(f"database {self.where}: {_reason(error)}") from error

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False, autoflush=False) as session:
                yield session
        except DBAPIError as error:
            raise StoreUnusable(f"database {self.where}: {_reason(error)}") from error

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()


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
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreUnusable(f"database {path}: {error.strerror}; check its folder's owner and mode") from None


def _reason(error: DBAPIError) -> str:
    said = str(error.orig).lower()
    return next((reason for sign, reason in _REASONS.items() if sign in said), f"{error.orig}")
