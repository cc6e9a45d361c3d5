from collections.abc import Iterator

import pytest

from tests.doubles.json_office import CODE, PASSWORD, USERNAME, JsonOffice
from tests.doubles.loopback import LoopbackServer, serve
from tests.recipe.account import RECIPES, Codes, Household, account_of


@pytest.fixture
def server(office: JsonOffice) -> Iterator[LoopbackServer]:
    """The test's own `office`, on loopback."""
    with serve(office.answer) as server:
        yield server


@pytest.fixture
def family(server: LoopbackServer) -> Household:
    """An account there, read by the worked example for JSON."""
    account = account_of(RECIPES / "json-api.toml", base_url=server.origin, username=USERNAME, password=PASSWORD)
    return Household(account=account, codes=Codes(make=lambda: CODE))
