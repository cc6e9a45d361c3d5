"""A disk that fails in the middle of the work: real refusals of SQLite and of the system, which need no privilege."""

import os
import random
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry, Pool

_UNBOUNDED = 4_294_967_294  # https://www.sqlite.org/limits.html#max_page_count
_MOST_BYTES = 100_000  # some rounds' worth of the database's log


class DiskFault(StrEnum):
    """What goes wrong with it, until it is over."""

    FULL = "full"
    """The database cannot grow by more than a few pages."""
    NO_SPACE = "no_space"
    """The system refuses to write beyond some place in a file: anywhere in a transaction, and in a session too."""
    READ_ONLY = "read_only"
    """What stands there can be read, and no more."""
    HELD = "held"
    """Somebody else is writing, for longer than anyone waits."""


@contextmanager
def failing(fault: DiskFault, database: Path, chance: random.Random | None = None) -> Iterator[None]:
    """The disk under this database fails in this way until the block ends; `chance` says how much room is left."""
    chance = chance or random.Random(0)  # noqa: S311 - repeatable, not secret
    match fault:
        case DiskFault.FULL:
            pages = _pages(database) + chance.randint(0, 3)
            with _setting(f"PRAGMA max_page_count={pages}", f"PRAGMA max_page_count={_UNBOUNDED}"):
                yield
        case DiskFault.NO_SPACE:
            _truncate_log(database)
            with largest_file(chance.randint(0, _MOST_BYTES)):
                yield
        case DiskFault.READ_ONLY:
            with _setting("PRAGMA query_only=ON", "PRAGMA query_only=OFF"):
                yield
        case DiskFault.HELD:
            with _setting("PRAGMA busy_timeout=20", "PRAGMA busy_timeout=10000"), _held(database):
                yield


_settings: list[tuple[str, str]] = []


@contextmanager
def _setting(during: str, after: str) -> Iterator[None]:
    """Every connection that is taken within the block works under one pragma, and gets another when it is put back."""
    _settings.append((during, after))
    try:
        yield
    finally:
        _settings.remove((during, after))


# The listeners stay: SQLAlchemy's list of them may not change while another thread takes a connection.
@event.listens_for(Pool, "checkout")
def _set(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    for during, after in tuple(_settings):
        connection.execute(during)
        record.info.setdefault("set_back", []).append(after)


@event.listens_for(Pool, "checkin")
def _set_back(connection: Any, record: ConnectionPoolEntry) -> None:
    for after in record.info.pop("set_back", ()):
        if connection is not None:
            connection.execute(after)


def _truncate_log(database: Path) -> None:
    """Empty the database's log, so that the next write reaches the limit somewhere."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Make the system refuse writes beyond `size` bytes of any file of this process."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


@contextmanager
def no_free_descriptor() -> Iterator[None]:
    """Make the system refuse to open anything more in this process."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@contextmanager
def _held(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def _pages(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        return int(pages)
