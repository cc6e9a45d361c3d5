"""Copies single rows between SQLite databases that may be of different releases, with the columns that both have."""

import sqlite3


def insert(
    database: sqlite3.Connection, table: str, row: sqlite3.Row, *, without: tuple[str, ...] = ()
) -> sqlite3.Cursor:
    """Insert a row of the replaced database if there is none with its key."""
    columns = common_columns(database, table, row, without)
    values = ", ".join(f":{name}" for name in columns)
    query = f'INSERT OR IGNORE INTO "{table}" ({", ".join(columns)}) VALUES ({values})'  # noqa: S608 - our own names
    return database.execute(query, dict(row))


def insert_with_id(database: sqlite3.Connection, table: str, row: sqlite3.Row) -> int | None:
    """Insert a row under its id, by which the user knows it. Return the id, or None if the row cannot be written.

    It gets another id if that one is in use: the backup and the replaced database have both given it.
    """
    in_use = database.execute(f'SELECT 1 FROM "{table}" WHERE id = ?', (row["id"],)).fetchone()  # noqa: S608
    inserted = insert(database, table, row, without=("id",) if in_use else ())
    return inserted.lastrowid if inserted.rowcount == 1 else None


def update(
    database: sqlite3.Connection, table: str, row: sqlite3.Row, *, key: str, without: tuple[str, ...] = ()
) -> None:
    """Replace the row with this key by that of the replaced database, unless another row conflicts with it."""
    assignments = ", ".join(f"{name} = :{name}" for name in common_columns(database, table, row, without))
    database.execute(f'UPDATE OR IGNORE "{table}" SET {assignments} WHERE {key} = :{key}', dict(row))  # noqa: S608


def common_columns(database: sqlite3.Connection, table: str, row: sqlite3.Row, without: tuple[str, ...]) -> list[str]:
    """Return the columns that both have: the replaced database may be from another release than the backup."""
    present = {column["name"] for column in database.execute(f'PRAGMA table_info("{table}")')}
    return [name for name in row.keys() if name in present and name not in without]  # noqa: SIM118 - a Row is no dict
