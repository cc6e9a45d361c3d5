"""Every fact about the store is tried on a file and on a server; where there is no server, that is said out loud."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.postgres.server import Server
from tests.store.temporary_store import StoreAddress, TemporaryStore, temporary_store

NewAddress = Callable[[], StoreAddress]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> NewAddress:
    """Empty books each time."""
    numbers = count(1)

    def in_file() -> StoreAddress:
        folder = tmp_path / f"shelf-{next(numbers)}"
        folder.mkdir()
        return StoreAddress(url=f"sqlite:///{folder / 'watcher.sqlite3'}", locks=folder / "locks")

    if request.param == "sqlite":
        return in_file
    postgres: Server = request.getfixturevalue("postgres")
    return lambda: StoreAddress(url=postgres.new_store(), locks=tmp_path / "locks")


@pytest.fixture
def shelf(new_shelf: NewAddress) -> StoreAddress:
    return new_shelf()


@pytest.fixture
def kept(shelf: StoreAddress) -> Iterator[TemporaryStore]:
    with shelf.open() as made:
        yield made


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[TemporaryStore]:
    """Books in a file, for what is a matter of files."""
    with temporary_store(tmp_path) as made:
        yield made
