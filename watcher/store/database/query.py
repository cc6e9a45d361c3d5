"""Queries in the SQL that SQLite and PostgreSQL share, and the protocol for running them.

There are two implementations: `watcher.store.database.engine` runs queries through SQLAlchemy, `watcher.store.readonly`
runs them on a file with the standard library. The queries themselves are in `watcher.store.queries`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT statement with its parameters written as `:name`, and the names of the columns it returns.

    A column has the type of the column of `table` with that name in `watcher.store.database.tables`. Other columns are
    counts and ids. A column that is computed, such as `min(at) AS at`, has its type through SQLAlchemy only.
    """

    table: str
    columns: tuple[str, ...]
    sql: str


def select_rows(table: str, columns: str, rest: str = "") -> Query:
    """Return the query for these columns, separated by commas; `rest` is everything after the table's name.

    A column whose name differs from the program's term is renamed: `told AS notified`.
    """
    names = tuple(column.split()[-1] for column in columns.split(","))
    return Query(table, names, f'SELECT {columns} FROM "{table}" {rest}'.rstrip())  # noqa: S608 - constants and :names


def where(*conditions: str) -> str:
    """Return a WHERE clause for all of the conditions, or nothing."""
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def in_list(column: str, values: Collection[object], parameters: dict[str, object]) -> str:
    """Return the condition that a column has one of the values, and add the values to the parameters.

    Each value is a parameter of its own because databases differ in how they take a list. PostgreSQL does not accept
    an empty list.
    """
    if not values:
        return "1 = 0"
    names = [f"{column}_{index}" for index in range(len(values))]
    parameters.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f':{name}' for name in names)})"


_BATCH_SIZES = (1, 8, 64)


def batches(values: Sequence[str]) -> Iterator[list[str]]:
    """Split values for `in_list` into batches of a few fixed sizes, in which the last value may be repeated.

    So each query has few different texts, which are prepared once, and no more parameters than a database accepts.
    """
    for start in range(0, len(values), _BATCH_SIZES[-1]):
        batch = list(values[start : start + _BATCH_SIZES[-1]])
        size = next(size for size in _BATCH_SIZES if size >= len(batch))
        yield batch + batch[-1:] * (size - len(batch))


def limit_to(limit: int | None, parameters: dict[str, object]) -> str:
    """Return a LIMIT clause, or nothing, and add the limit to the parameters."""
    if limit is None:
        return ""
    parameters["limit"] = limit
    return "LIMIT :limit"


def first_row(rows: Iterable[Any]) -> Any:
    """Return the first row, or None. Reads all of them, so that no cursor stays open."""
    return next(iter(list(rows)), None)


class RunQuery(Protocol):
    """Runs queries on one consistent state of the database."""

    def __call__(self, query: Query, /, **parameters: object) -> Iterable[Any]:
        """Return the rows, with columns as attributes and times aware, in UTC. Raises `StoreUnusable`."""
        ...


OpenReader: TypeAlias = Callable[[], AbstractContextManager[RunQuery]]
"""Opens one consistent state of the database for the block."""
