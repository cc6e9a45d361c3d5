"""`watcher recipe new`, `check`, and `try` as real commands, at the practice portal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.practice_workspace import FIRST, RECIPE, PracticeWorkspace, practice_workspace
from tests.support.workspace import Workspace
from watcher.recipe.workshop.workshop import new_recipe_text


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    with practice_workspace(tmp_path) as workspace:
        workspace.configure(totp_secret=workspace.portal.account.totp_secret)
        yield workspace


def test_new_recipe_is_written_once_and_has_no_faults(empty_workspace: Workspace) -> None:
    empty_workspace.run("recipe", "new", "mine.toml")
    assert (empty_workspace.folder / "mine.toml").read_text() == new_recipe_text()
    result = empty_workspace.run("recipe", "check", "mine.toml")
    assert result.out == "mine.toml: no errors found.\n"
    second = empty_workspace.run("recipe", "new", "mine.toml", expect=(2,))
    assert "already exists" in second.err


def test_recipe_faults_are_listed_with_their_lines(empty_workspace: Workspace) -> None:
    text = new_recipe_text().replace("base_url", "bass_url", 1)
    (empty_workspace.folder / "mine.toml").write_text(text)
    result = empty_workspace.run("recipe", "check", "mine.toml", expect=(2,))
    assert all(line.startswith("mine.toml:") for line in result.err.splitlines())
    assert "bass_url" in result.err


def test_try_shows_what_each_selector_finds_and_records_nothing(family: PracticeWorkspace) -> None:
    result = family.run("recipe", "try", "--account", "family", "--json")
    results = {entry["place"]: entry for entry in result.json["sights"]}
    assert results["cases.case_number"]["found"][0] == FIRST
    assert not any(entry["wrong"] for entry in result.json["sights"])
    assert family.sign_ins == 1
    with family.app() as app:
        assert app.store.tracked_cases() == []
        assert app.poll("family").outcome.value == "ok"
    assert family.sign_ins == 1


def test_another_recipe_file_can_be_tried(family: PracticeWorkspace) -> None:
    (family.folder / "mine.toml").write_text(RECIPE.read_text().replace("css:table#cases tbody tr", "css:ul#cases li"))
    result = family.run("recipe", "try", "mine.toml", "--account", "family", expect=(1,))
    assert "css:ul#cases li  0 found" in result.out
    (family.folder / "mine.toml").write_text("name = 1\n")
    invalid = family.run("recipe", "try", "mine.toml", "--account", "family", expect=(2,))
    assert "mine.toml" in invalid.err


def test_password_rejected_during_a_try_is_not_submitted_again(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret, password="wrong-password")
    first = family.run("recipe", "try", "--account", "family", expect=(1,))
    assert "SignInRejected" in first.out
    with family.app() as app:
        assert app.poll("family").outcome.value == "rejected"
    assert family.sign_ins == 1
    assert "wrong-password" not in first.out + first.err


def test_recipe_is_checked_offline_against_a_trace(family: PracticeWorkspace) -> None:
    family.run("check", "--trace", "trace")
    family.portal.forget_requests()
    result = family.run("recipe", "check", str(RECIPE), "--trace", str(Path("trace", "family")))
    assert FIRST in result.out
    assert family.portal.requests == ()


def test_account_without_a_recipe_cannot_try_one(empty_workspace: Workspace) -> None:
    empty_workspace.write('[accounts.family]\nportal = "uscis"\n')
    result = empty_workspace.run("recipe", "try", "--account", "family", expect=(2,))
    assert "There is no account 'family' with portal" in result.err
