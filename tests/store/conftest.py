from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.books import Books, books


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Books]:
    with books(tmp_path) as made:
        yield made
