"""`watcher handover` as a real command."""

import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support.workspace import Workspace
from watcher.model.web import KeyKind

ACCOUNT = '[accounts.family]\nportal = "uscis"\ncases = ["IOE0900000001"]\n'
PAGE = '[web]\nlisten = "127.0.0.1:8788"\nurl = "https://watcher.example.org/home"\n'


@pytest.fixture
def page(empty_workspace: Workspace) -> Workspace:
    empty_workspace.write(PAGE + ACCOUNT)
    return empty_workspace


def keys(workspace: Workspace) -> list[str]:
    with workspace.app() as app:
        return [key.name for key in app.store.web.keys(KeyKind.HANDOVER)]


def test_bookmark_leads_to_the_page_with_a_key_for_the_account(page: Workspace) -> None:
    made = page.run("handover", "family", "--json").json
    script = unquote(made["bookmark"])
    assert (made["account"], made["origin"]) == ("family", "https://my.uscis.gov")
    assert script.startswith("javascript:const plan=")
    assert '"address": "https://watcher.example.org/home/handover/' in script
    assert '"cases": ["IOE0900000001"]' in script
    assert keys(page) == ["family"]
    assert "javascript:const" in page.run("handover", "family").out


def test_extension_and_shortcut_are_private_files(page: Workspace) -> None:
    said = page.run("handover", "family", "--extension", "e.zip", "--shortcut", "s.js").out
    with zipfile.ZipFile(page.folder / "e.zip") as archive:
        assert "manifest.json" in archive.namelist()
    assert "completion(" in (page.folder / "s.js").read_text()
    assert {Path(page.folder, name).stat().st_mode & 0o777 for name in ("e.zip", "s.js")} == {0o600}
    assert "e.zip" in said
    assert "s.js" in said
    assert "javascript:" not in said


def test_revoke_ends_the_keys_of_the_account_only(page: Workspace) -> None:
    page.write(PAGE + ACCOUNT + '[accounts.other]\nportal = "uscis"\n')
    page.run("handover", "family")
    page.run("handover", "other")
    page.run("handover", "family", "--revoke")
    assert keys(page) == ["other"]


def test_errors_say_what_to_do(page: Workspace) -> None:
    assert "family" in page.run("handover", "uncle", expect=(2,)).err
    page.write(PAGE + '[accounts.family]\nportal = "manual"\nsite = "nvc"\ncases = ["ABC0000000001"]\n')
    assert "nothing can be handed over" in page.run("handover", "family", expect=(1,)).err
    page.write(ACCOUNT)
    assert "Set `listen` in [web]" in page.run("handover", "family", expect=(2,)).err
    assert keys(page) == []


def test_login_without_cookies_says_how_to_hand_over_and_does_not_check(page: Workspace) -> None:
    page.write(PAGE + ACCOUNT + 'sign_in = "handover"\n')
    refused = page.run("login", "family", expect=(1,))
    assert "`watcher handover family` says how" in refused.err
    assert "login family --cookies" not in refused.out + refused.err
    with page.app() as app:
        assert app.store.accounts.all() == {}
        assert app.store.history() == []
