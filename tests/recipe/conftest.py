from collections.abc import Iterator

import pytest

from tests.doubles.json_office import CODE, PASSWORD, USERNAME, JsonOffice
from tests.doubles.loopback import LoopbackServer, serve
from tests.recipe.account import RECIPES, FakeCodes, RecipeClient, account_of


@pytest.fixture
def server(office: JsonOffice) -> Iterator[LoopbackServer]:
    """Serve the test's `office` on loopback."""
    with serve(office.answer) as server:
        yield server


@pytest.fixture
def family(server: LoopbackServer) -> RecipeClient:
    """Return an account there, with the example recipe for JSON."""
    account = account_of(RECIPES / "json-api.toml", base_url=server.origin, username=USERNAME, password=PASSWORD)
    return RecipeClient(account=account, codes=FakeCodes(make=lambda: CODE))
