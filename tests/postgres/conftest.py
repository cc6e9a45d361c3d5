import pytest

from tests.postgres.server import Server


@pytest.fixture
def url(postgres: Server) -> str:
    """An empty database."""
    return postgres.new_database()
