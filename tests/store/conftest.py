"""Every fact about the store is tried on a file and on a server; where there is no server, that is said out loud."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.postgres.server import Server
from tests.store.temporary_store import Books, Shelf, books

NewShelf = Callable[[], Shelf]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> NewShelf:
    """Empty books each time."""
    numbers = count(1)

    def in_file() -> Shelf:
        folder = tmp_path / f"shelf-{next(numbers)}"
        folder.mkdir()
        return Shelf(url=f"sqlite:///{folder / 'watcher.sqlite3'}", locks=folder / "locks")

    if request.param == "sqlite":
        return in_file
    postgres: Server = request.getfixturevalue("postgres")
    return lambda: Shelf(url=postgres.new_books(), locks=tmp_path / "locks")


@pytest.fixture
def shelf(new_shelf: NewShelf) -> Shelf:
    return new_shelf()


@pytest.fixture
def kept(shelf: Shelf) -> Iterator[Books]:
    with shelf.open() as made:
        yield made


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Books]:
    """Books in a file, for what is a matter of files."""
    with books(tmp_path) as made:
        yield made
