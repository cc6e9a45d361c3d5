"""The account of a recipe: what it needs, where it may go, and how the loader says what is wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.recipe.account import RECIPES, account_of
from watcher import portals
from watcher.errors import SettingsFaults
from watcher.portals.recipe import PORTAL
from watcher.settings.load import load

PRACTICE = RECIPES / "practice.toml"


def test_every_fault_of_a_recipe_is_a_line_of_the_configuration(tmp_path: Path) -> None:
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


def test_its_links_and_rhythm_are_those_of_the_recipe() -> None:
    account = account_of(PRACTICE, username="a", password="b", base_url="https://office.example.gov")

    assert PORTAL.links(account).sign_in == "https://127.0.0.1:8443/"
    assert account.min_every == timedelta(minutes=30)
    assert account.hosts == {"office.example.gov"}


def test_a_test_server_on_this_machine_may_be_read_at_any_time() -> None:
    account = account_of(PRACTICE, username="a", password="b", base_url="http://127.0.0.1:1", every="10s")

    assert account.min_every == timedelta(0)


def test_a_changed_user_name_or_password_is_another_credential() -> None:
    credentials = {
        account_of(PRACTICE, username=username, password=password).credential()
        for username, password in (("a", "b"), ("a", "c"), ("c", "b"))
    }

    assert len(credentials) == 3


def test_no_secret_shows_in_the_account() -> None:
    assert "hush" not in repr(account_of(PRACTICE, username="a", password="hush", totp_secret="hush"))


@pytest.mark.parametrize("base_url", ["http://office.example.gov", "ftp://office.example.gov", "office.example.gov"])
def test_a_base_url_in_the_clear_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        account_of(PRACTICE, username="a", password="b", base_url=base_url)


def test_another_recipe_for_the_same_account_is_checked_too(tmp_path: Path) -> None:
    account = account_of(PRACTICE, username="a", password="b")
    assert account.with_recipe(RECIPES / "django-admin.toml").parsed.name == "Django office"

    with pytest.raises(ValueError, match="cannot be read"):
        account.with_recipe(tmp_path / "nowhere.toml")
