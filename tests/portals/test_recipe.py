"""The account of a recipe: its keys, its hosts, and the errors of the loader."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.recipe.account import RECIPES, account_of
from watcher import portals
from watcher.errors import SettingsFaults
from watcher.portals.recipe import PORTAL
from watcher.settings.handover import interval_of
from watcher.settings.load import load

PRACTICE = RECIPES / "practice.toml"


def test_recipe_faults_are_reported_with_the_configuration(tmp_path: Path) -> None:
    recipe = tmp_path / "office.toml"
    recipe.write_text(
        PRACTICE.read_text().replace('each = "css:.event"', 'eech = "css:.event"').replace("status:401", "x")
    )
    (tmp_path / "watcher.toml").write_text('[accounts.family]\nportal = "recipe"\nrecipe = "office.toml"\n')

    with pytest.raises(SettingsFaults) as raised:
        load(tmp_path / "watcher.toml", environ={"HOME": str(tmp_path)}, portals=portals)

    begin = f"{tmp_path / 'watcher.toml'}: accounts.family.recipe: {recipe}:"
    assert len(raised.value.faults) == 3, "a bad selector, an unknown key, a missing one"
    assert all(fault.startswith(begin) for fault in raised.value.faults)


def test_links_and_interval_come_from_the_recipe() -> None:
    account = account_of(PRACTICE, username="a", password="b", base_url="https://office.example.gov")

    assert PORTAL.links(account).sign_in == "https://office.example.gov/"
    assert account.min_every == timedelta(minutes=30)
    assert account.hosts == {"office.example.gov"}


def test_links_to_other_hosts_stay_as_the_recipe_has_them(tmp_path: Path) -> None:
    recipe = tmp_path / "office.toml"
    text = PRACTICE.read_text().replace('help = "https://127.0.0.1:8443/"', 'help = "https://127.0.0.1:8444/help"')
    recipe.write_text(text)
    links = PORTAL.links(account_of(recipe, username="a", password="b", base_url="https://office.example.gov/portal/"))
    assert (links.sign_in, links.help) == ("https://office.example.gov/portal/", "https://127.0.0.1:8444/help")


def test_server_on_loopback_may_be_checked_at_any_interval() -> None:
    account = account_of(PRACTICE, username="a", password="b", base_url="http://127.0.0.1:1", every="10s")

    assert account.min_every == timedelta(0)


def test_credential_depends_on_user_name_and_password() -> None:
    credentials = {
        account_of(PRACTICE, username=username, password=password).credential()
        for username, password in (("a", "b"), ("a", "c"), ("c", "b"))
    }

    assert len(credentials) == 3


def test_secrets_are_not_in_the_repr() -> None:
    assert "hush" not in repr(account_of(PRACTICE, username="a", password="hush", totp_secret="hush"))


@pytest.mark.parametrize("base_url", ["http://office.example.gov", "ftp://office.example.gov", "office.example.gov"])
def test_unencrypted_base_url_is_rejected(base_url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        account_of(PRACTICE, username="a", password="b", base_url=base_url)


def test_replacement_recipe_is_validated(tmp_path: Path) -> None:
    account = account_of(PRACTICE, username="a", password="b")
    assert account.with_recipe(RECIPES / "django-admin.toml").parsed.name == "Django office"

    with pytest.raises(ValueError, match="cannot be read"):
        account.with_recipe(tmp_path / "nowhere.toml")


def test_recipe_that_allows_fewer_checks_than_the_schedule_is_followed_without_every(tmp_path: Path) -> None:
    file = tmp_path / "watcher.toml"
    file.write_text('[accounts.family]\nportal = "recipe"\nrecipe = "it-questura"\ncases = ["26FR000001"]\n')
    settings = load(file, environ={"HOME": str(tmp_path)}, portals=portals)
    assert interval_of(settings.accounts["family"], settings) == timedelta(hours=6)


def test_number_that_the_website_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="26FR1 is not a case number of this website: number of the case"):
        account_of(Path("it-questura"), cases=("26FR1",))


def test_unknown_name_of_a_recipe_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it-questura"):
        account_of(tmp_path / "it-questurra", cases=("26FR000001",))
