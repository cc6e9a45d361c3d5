from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.workspace import Bench, bench
from tests.support.watching import Watching


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    """A folder with nothing in it."""
    return Watching(folder=tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Bench]:
    """One case watched at a portal on loopback, one phone."""
    with bench(tmp_path) as made:
        yield made
