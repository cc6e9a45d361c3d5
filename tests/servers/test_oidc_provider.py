"""A sign-in through oidc-provider (https://github.com/panva/node-oidc-provider): code flow, PKCE, consent, tokens."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.recipe.account import RECIPES, RecipeClient, account_of
from tests.servers.running import INSTALLED, free_port, program, running, wanted
from watcher.errors import UnexpectedAnswer
from watcher.model.case import Stage

pytestmark = pytest.mark.servers

PUBLISHED = "https://office.example.gov"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    node, modules = program("node"), INSTALLED / "node"
    if not (modules / "node_modules" / "oidc-provider").is_dir():
        wanted("oidc-provider is not installed; run tests/servers/install")
    port = free_port()
    script = Path(__file__).parent / "oidc.mjs"
    with running([node, script, str(port), modules], port=port, folder=tmp_path_factory.mktemp("oidc")):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def recipe(provider: str, tmp_path: Path) -> Path:
    """Return the example recipe with the provider's own address in its registration."""
    text = (RECIPES / "openid-connect.toml").read_text()
    text = text.replace(quote(f"{PUBLISHED}/back", safe=""), quote(f"{provider}/back", safe=""))
    (tmp_path / "openid.toml").write_text(text.replace(f'"{PUBLISHED}/back"', f'"{provider}/back"'))
    return tmp_path / "openid.toml"


@pytest.fixture
def family(provider: str, recipe: Path) -> RecipeClient:
    return RecipeClient(account=account_of(recipe, base_url=provider, username="applicant", password="anything"))


def test_sign_in_and_consent_lead_to_a_token(family: RecipeClient) -> None:
    case = family.read()["E000000001"]

    assert case.title == "applicant", "the token is the one of whoever signed in"
    assert case.stage is Stage.UNDER_REVIEW
    assert family.world.sign_in_guard.submissions == [True]
    assert family.world.sign_in_guard.acceptances == 1


def test_token_is_reused_and_renewed_once_after_a_refusal(family: RecipeClient, provider: str) -> None:
    family.read()
    family.read()
    assert len(family.world.sign_in_guard.submissions) == 1

    refuse_the_next_token(provider)
    assert list(family.read()) == ["E000000001"]
    assert len(family.world.sign_in_guard.submissions) == 2


def refuse_the_next_token(provider: str) -> None:
    connection = http.client.HTTPConnection(provider.removeprefix("http://"), timeout=10)
    connection.request("GET", "/refuse")
    assert connection.getresponse().status == 200
    connection.close()


def test_unknown_client_is_not_a_rejected_sign_in(provider: str, recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("client_id=watcher&", "client_id=nobody&"))
    stranger = RecipeClient(account=account_of(recipe, base_url=provider, username="applicant", password="anything"))

    with pytest.raises(UnexpectedAnswer, match=r"sign_in\[0\]\.expect"):
        stranger.read()

    assert stranger.world.sign_in_guard.submissions == [], "no password was sent"
