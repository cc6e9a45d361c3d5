"""`watcher recipe new`, `check`, and `try` as real commands, at the practice portal."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.practice_workspace import FIRST, RECIPE, PracticeWorkspace, practice_workspace
from tests.support.workspace import Workspace
from watcher.recipe.parse.check import load_recipe
from watcher.recipe.parse.shipped import FOLDER
from watcher.recipe.workshop.start import STARTS, TEMPLATE, new_recipe_text


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


@pytest.mark.parametrize("start", STARTS)
def test_new_recipe_may_start_from_one_for_a_similar_website(start: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(new_recipe_text(start))
    recipe = load_recipe(file)
    assert start == TEMPLATE or recipe.base_url == load_recipe(FOLDER / f"{start}.toml").base_url


def test_new_recipe_starts_from_the_one_that_is_named(empty_workspace: Workspace) -> None:
    result = empty_workspace.run("recipe", "new", "--like", "it-questura", "mine.toml")
    assert result.out.startswith("Wrote mine.toml, started from the recipe it-questura.\n")
    assert empty_workspace.run("recipe", "check", "mine.toml").out == "mine.toml: no errors found.\n"


def test_shipped_recipe_is_checked_by_its_name(empty_workspace: Workspace) -> None:
    result = empty_workspace.run("recipe", "check", "pt-aima-renewal")
    assert "recorded answers: 8 as expected." in result.out
    assert "there is no such file" in empty_workspace.run("recipe", "check", "pt-aima", expect=(2,)).err


def test_recorded_answers_beside_a_recipe_show_what_differs_by_line(empty_workspace: Workspace) -> None:
    shutil.copy(FOLDER / "it-questura.toml", empty_workspace.folder / "mine.toml")
    granted = empty_workspace.folder / "mine.answers" / "ready"
    shutil.copytree(FOLDER / "it-questura.answers" / "ready-at-an-office", granted)
    expected = granted / "expected.json"
    assert "1 recorded answer: 1 as expected." in empty_workspace.run("recipe", "check", "mine.toml").out

    expected.write_text(expected.read_text().replace('"issued"', '"approved"'))
    result = empty_workspace.run("recipe", "check", "mine.toml", expect=(1,))
    line = next(number for number, text in enumerate(expected.read_text().splitlines(), 1) if "approved" in text)
    assert f'mine.answers/ready/expected.json:{line}: expected, not found: "stage": "approved",' in result.out
    assert f'mine.answers/ready/expected.json:{line}: found, not expected: "stage": "issued",' in result.out


def test_new_recorded_answers_are_accepted_for_the_case_that_is_named(empty_workspace: Workspace) -> None:
    shutil.copy(FOLDER / "it-questura.toml", empty_workspace.folder / "mine.toml")
    answers = empty_workspace.folder / "mine.answers" / "ready"
    shutil.copytree(FOLDER / "it-questura.answers" / "ready-at-an-office", answers)
    (answers / "expected.json").unlink()
    missing = empty_workspace.run("recipe", "check", "mine.toml", expect=(1,))
    assert "mine.answers/ready/expected.json is missing; --accept writes it" in missing.out
    empty_workspace.run("recipe", "check", "mine.toml", "--accept", "--case", "26FR000001")
    assert '"issued"' in (answers / "expected.json").read_text()
    (answers / "expected.json").write_text("[]")
    damaged = empty_workspace.run("recipe", "check", "mine.toml", expect=(2,))
    assert "this is not a result as `watcher recipe check --accept` writes it" in damaged.err
