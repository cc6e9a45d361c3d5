"""Fixtures that test the store with SQLite and PostgreSQL; without a PostgreSQL server its tests are skipped."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.postgres.server import Server
from tests.store.temporary_store import StoreAddress, TemporaryStore, temporary_store

NewAddress = Callable[[], StoreAddress]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_address(request: pytest.FixtureRequest, tmp_path: Path) -> NewAddress:
    """Return a function that gives the address of an empty database each time."""
    numbers = count(1)

    def in_file() -> StoreAddress:
        folder = tmp_path / f"database-{next(numbers)}"
        folder.mkdir()
        return StoreAddress(url=f"sqlite:///{folder / 'watcher.sqlite3'}", locks=folder / "locks")

    if request.param == "sqlite":
        return in_file
    postgres: Server = request.getfixturevalue("postgres")
    return lambda: StoreAddress(url=postgres.new_store(), locks=tmp_path / "locks")


@pytest.fixture
def address(new_address: NewAddress) -> StoreAddress:
    return new_address()


@pytest.fixture
def temporary(address: StoreAddress) -> Iterator[TemporaryStore]:
    with address.open() as opened:
        yield opened


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[TemporaryStore]:
    """A store in a file, for tests of files."""
    with temporary_store(tmp_path) as opened:
        yield opened
