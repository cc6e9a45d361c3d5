"""The rows of a database on a server, as a file, and back.

The file is an SQLite database of the same schema. Tables and columns are those of `watcher.store.database.tables`, so
that new ones are carried without being named here; `LEFT_OUT` names those that a backup does not carry.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, create_engine, insert, inspect, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.store.backup.left_out import LEFT_OUT
from watcher.store.database.migrate import create_tables, schema_of
from watcher.store.database.tables import Row

CountRows: TypeAlias = Callable[[int], None]
"""Called now and then with the number of rows copied so far."""

_BATCH = 1000


def no_count(_: int) -> None:
    """Count nothing."""


def save_rows(server: Connection, display_name: str, file: Path, count: CountRows) -> None:
    """Write the rows, as they are in one transaction, to an empty file. Raises sqlite3.Error if it cannot be written.

    Raises `StoreUnusable` if the server has no tables, or those of a newer release. `display_name` is the server's.
    """
    schema = schema_of(server)
    if schema is None:
        raise StoreUnusable(_("database {name}: it is still empty, so there is nothing to back up", name=display_name))
    with open_alone(file) as copy:
        create_tables(copy, display_name, schema)
        _copy_rows(server, copy, count)


def load_rows(file: Path, server: Connection, count: CountRows, *, name: str = "") -> None:
    """Replace the rows on the server by those of a file, in the open transaction. New ids continue above the highest.

    Raises `StoreUnusable` if the file, called `name`, has values that the server does not take.
    """
    for table in reversed(carried_tables()):
        server.execute(table.delete())
    try:
        with open_alone(file) as copy:
            _copy_rows(copy, server, count)
    except (DataError, IntegrityError, ValueError, TypeError) as error:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise StoreUnusable(
            _("{name}: is damaged: it contains values that cannot be stored ({reason})", name=name, reason=reason)
        ) from None
    for table in carried_tables():
        _advance_identity(server, table)


def carried_tables() -> list[Table]:
    """Return the tables that a backup carries; each one after those it refers to."""
    return [table for table in Row.metadata.sorted_tables if table.name not in LEFT_OUT]


def _copy_rows(source: Connection, target: Connection, count: CountRows) -> None:
    """Copy a thousand rows at a time, so that memory does not grow with the database."""
    copied, stored = 0, inspect(source)
    for table in carried_tables():
        if not stored.has_table(table.name):
            continue  # the source is of an earlier release
        present = {column["name"] for column in stored.get_columns(table.name)}
        columns = [column.label(column.key) for column in table.columns if column.name in present]
        query = select(*columns).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
        for rows in source.execute(query).mappings().partitions():
            target.execute(insert(table), [_storable(row) for row in rows])
            copied += len(rows)
            count(copied)


def _storable(row: Any) -> dict[str, Any]:
    """Return a row's values without the NUL character, which PostgreSQL does not store in a text."""
    return {
        key: value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
        for key, value in row.items()
    }


def _advance_identity(server: Connection, table: Table) -> None:
    """Let the server's next id follow the highest one.

    It is never set back: a transaction that is rolled back does not restore it, and then the old rows are there.
    """
    column = table.autoincrement_column
    if column is None:
        return
    name = server.dialect.identifier_preparer.format_table(table)
    parameters = {"table": name, "column": column.name}
    sequence = server.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), parameters).scalar()
    if sequence is not None:
        server.exec_driver_sql(
            f"SELECT setval('{sequence}', greatest(max({column.name}), last_value)) FROM {name}, {sequence}"  # noqa: S608 - our own names
            " GROUP BY last_value"
        )


@contextmanager
def open_alone(file: Path) -> Iterator[Connection]:
    """Open a temporary file that nobody else uses, in one transaction. Raises sqlite3.Error."""
    engine = create_engine("sqlite://", creator=partial(sqlite3.connect, file), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA synchronous=OFF")  # it is synced as a whole before it gets its name
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise error.orig from None
        raise
    finally:
        engine.dispose()
