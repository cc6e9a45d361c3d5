"""`watcher recipe new`, `check`, `try`, run for real at the practice portal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.practice_workspace import FIRST, RECIPE, PracticeWorkspace, practice_workspace
from tests.support.workspace import Workspace
from watcher.recipe.workshop.workshop import new_recipe_text


@pytest.fixture
def family(tmp_path: Path) -> Iterator[PracticeWorkspace]:
    with practice_workspace(tmp_path) as made:
        made.configure(totp_secret=made.portal.account.totp_secret)
        yield made


def test_a_new_recipe_is_written_once_and_has_no_fault(empty_workspace: Workspace) -> None:
    empty_workspace.run("recipe", "new", "mine.toml")
    assert (empty_workspace.folder / "mine.toml").read_text() == new_recipe_text()
    said = empty_workspace.run("recipe", "check", "mine.toml")
    assert said.out == "mine.toml: no fault found.\n"
    again = empty_workspace.run("recipe", "new", "mine.toml", expect=(2,))
    assert "is there already" in again.err


def test_every_fault_of_a_recipe_is_named_with_its_line(empty_workspace: Workspace) -> None:
    text = new_recipe_text().replace("base_url", "bass_url", 1)
    (empty_workspace.folder / "mine.toml").write_text(text)
    said = empty_workspace.run("recipe", "check", "mine.toml", expect=(2,))
    assert all(line.startswith("mine.toml:") for line in said.err.splitlines())
    assert "bass_url" in said.err


def test_a_try_shows_what_each_selector_finds_and_records_nothing(family: PracticeWorkspace) -> None:
    said = family.run("recipe", "try", "--account", "family", "--json")
    sights = {sight["place"]: sight for sight in said.json["sights"]}
    assert sights["cases.case_number"]["found"][0] == FIRST
    assert not any(sight["wrong"] for sight in said.json["sights"])
    assert family.sign_ins == 1
    with family.app() as app:
        assert app.store.tracked_cases() == []
        assert app.poll("family").outcome.value == "ok"
    assert family.sign_ins == 1


def test_another_file_can_be_tried_in_the_place_of_the_accounts(family: PracticeWorkspace) -> None:
    (family.folder / "mine.toml").write_text(RECIPE.read_text().replace("css:table#cases tbody tr", "css:ul#cases li"))
    said = family.run("recipe", "try", "mine.toml", "--account", "family", expect=(1,))
    assert "css:ul#cases li  0 found" in said.out
    (family.folder / "mine.toml").write_text("name = 1\n")
    faulty = family.run("recipe", "try", "mine.toml", "--account", "family", expect=(2,))
    assert "mine.toml" in faulty.err


def test_a_password_refused_in_a_try_is_not_submitted_again(family: PracticeWorkspace) -> None:
    family.configure(totp_secret=family.portal.account.totp_secret, password="wrong-password")
    first = family.run("recipe", "try", "--account", "family", expect=(1,))
    assert "SignInRejected" in first.out
    with family.app() as app:
        assert app.poll("family").outcome.value == "rejected"
    assert family.sign_ins == 1
    assert "wrong-password" not in first.out + first.err


def test_a_kept_read_shows_what_a_recipe_finds_in_it_offline(family: PracticeWorkspace) -> None:
    family.run("check", "--trace", "trace")
    family.portal.forget_requests()
    said = family.run("recipe", "check", str(RECIPE), "--trace", str(Path("trace", "family")))
    assert FIRST in said.out
    assert family.portal.requests == ()


def test_an_account_without_a_recipe_cannot_try_one(empty_workspace: Workspace) -> None:
    empty_workspace.write('[accounts.family]\nportal = "uscis"\n')
    said = empty_workspace.run("recipe", "try", "--account", "family", expect=(2,))
    assert "goes by a recipe" in said.err
