from collections.abc import Iterator

import pytest

from tests.postgres.server import Server, server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture
def url(postgres: Server) -> str:
    """An empty database."""
    return postgres.new_database()
