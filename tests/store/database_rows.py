"""Made-up rows for every table, and the rows that a file has."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Column, Table, UniqueConstraint, insert

from watcher.store.backup.backup_files import sqlite_path
from watcher.store.backup.server_rows import carried_tables, no_count, open_alone, save_rows
from watcher.store.database.engine import Database
from watcher.store.database.migrate import create_tables
from watcher.store.database.schema import HEAD

Rows = dict[str, list[dict[str, Any]]]

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
_BY_TYPE: dict[type, st.SearchStrategy[Any]] = {
    int: st.integers(0, 2**31 - 1),
    str: _TEXT,
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    datetime: _MOMENTS,
    date: st.dates(date(1970, 1, 1), date(2199, 12, 31)),
}


@st.composite
def all_rows(draw: st.DrawFn) -> Rows:
    """Draw rows for every table that a backup carries. Those that refer to others are left out if there are none."""
    rows: Rows = {}
    for table in carried_tables():
        strategy = st.fixed_dictionaries({column.key: _values(column, rows) for column in table.columns})
        keys = [tuple(column.key for column in columns) for columns in _unique(table)]
        unique = tuple(lambda row, key=key: tuple(row[name] for name in key) for key in keys)
        has_others = all(rows[key.column.table.name] for key in table.foreign_keys)
        rows[table.name] = draw(st.lists(strategy, max_size=4 if has_others else 0, unique_by=unique))
    return rows


def _values(column: "Column[Any]", rows: Rows) -> st.SearchStrategy[Any]:
    for key in column.foreign_keys:
        others = [row[key.column.key] for row in rows[key.column.table.name]]
        return st.sampled_from(others) if others else st.nothing()
    values = _BY_TYPE[getattr(column.type, "impl_instance", column.type).python_type]
    return values | st.none() if column.nullable else values


def _unique(table: Table) -> list[list["Column[Any]"]]:
    constraints = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    return [list(table.primary_key.columns), *(list(constraint.columns) for constraint in constraints)]


def write_rows(file: Path, rows: Rows) -> None:
    """Write the rows to a new database file."""
    file.unlink(missing_ok=True)
    with open_alone(file) as connection:
        create_tables(connection, "", HEAD)
        for table in carried_tables():
            if rows[table.name]:
                connection.execute(insert(table), rows[table.name])


def rows_of(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table that a backup carries, as SQLite stores them."""
    with closing(sqlite3.connect(file)) as database:
        return {
            table.name: sorted(
                database.execute(
                    f'SELECT {", ".join(column.name for column in table.columns)} FROM "{table.name}"'  # noqa: S608
                ).fetchall(),
                key=repr,
            )
            for table in carried_tables()
        }


def stored_rows(url: str, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of a database that is not in use, without changing its files. `folder` is for a copy."""
    copy = folder / "copy.sqlite3"
    for name in ("", "-wal", "-shm"):
        Path(f"{copy}{name}").unlink(missing_ok=True)
    database = sqlite_path(url)
    if database is None:
        with closing(Database(url)) as server, server.reading() as connection:
            save_rows(connection, "", copy, no_count)
    else:
        for name in ("", "-wal"):
            if (file := Path(f"{database}{name}")).exists():
                shutil.copyfile(file, f"{copy}{name}")
    return rows_of(copy)
