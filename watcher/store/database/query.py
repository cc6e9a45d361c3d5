"""How a question is put to the books: plain SQL, in words that SQLite and PostgreSQL share, and who answers it.

Two do. `watcher.store.database.engine` asks through SQLAlchemy, for the program that also writes;
`watcher.store.readonly` asks a file through the standard library, for the command that only looks. The questions
themselves stand in
`watcher.store.queries.queries`, once for both.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that reads, parameters as `:name` in it, and what each row of the answer holds.

    A column has the type that `table` gives it; one of no such name is a count.
    """

    table: str
    columns: tuple[str, ...]
    sql: str


def select_rows(table: str, columns: str, rest: str = "") -> Query:
    """Asks for these columns of a table; `rest` says of which rows, in which order."""
    names = tuple(columns.split())
    return Query(table, names, f'SELECT {", ".join(names)} FROM "{table}" {rest}'.rstrip())  # noqa: S608 - ours


class RunQuery(Protocol):
    """Answers questions about one consistent state of the books."""

    def __call__(self, question: Query, **given: object) -> Iterable[Any]:
        """The rows, each with its columns by name, moments aware and in UTC. Raises `StoreUnusable`."""
        ...


OpenReader: TypeAlias = Callable[[], AbstractContextManager[RunQuery]]
"""Opens the books for a look, and closes them after it."""
