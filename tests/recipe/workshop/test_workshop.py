"""Writing and repairing recipes: what is shown, what is hidden, and what works offline."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.json_office import CODE, PASSWORD, USERNAME, JsonOffice, case_of
from tests.doubles.loopback import LoopbackServer
from tests.recipe.account import RECIPES, RecipeClient, account_of
from watcher.portals.recipe import PORTAL, try_recipe
from watcher.reading.trace import TraceFolder
from watcher.recipe.parse.check import RecipeFaults
from watcher.recipe.workshop.selector_report import SelectorResult
from watcher.recipe.workshop.workshop import check_recipe

RECIPE = RECIPES / "json-api.toml"


@pytest.fixture
def office() -> JsonOffice:
    return JsonOffice(cases={"E000000001": case_of("E000000001"), "E000000002": case_of("E000000002")})


def try_results(family: RecipeClient) -> list[SelectorResult]:
    return list(try_recipe(family.account, replace(family.world.context(), codes=family.codes)))


def with_fault(folder: Path, old: str, new: str) -> Path:
    text = RECIPE.read_text()
    assert old in text
    path = folder / "changed.toml"
    path.write_text(text.replace(old, new))
    return path


def write_trace(family: RecipeClient, folder: Path) -> Path:
    context = replace(family.world.context(), codes=family.codes, trace=TraceFolder(folder))
    with PORTAL.open(family.account, context) as reader:
        assert len(list(reader.read())) == 2
    return folder


def test_try_shows_what_each_selector_finds(family: RecipeClient) -> None:
    results = {result.key_path: result for result in try_results(family)}

    assert not [result for result in results.values() if result.failed]
    assert results["cases.case_number"].values == ("E000000001", "E000000002")
    assert results["case.fields.status"].values == ("In study",)
    assert results["case.fields.description"].values == ("Your file is with an officer.",)
    assert results["case.history[0].each"].note == "1 found"
    assert "stage under_review" in results["case"].note


def test_taken_values_are_never_shown(family: RecipeClient, office: JsonOffice) -> None:
    results = try_results(family)

    taken = [result for result in results if ".take." in result.key_path]
    assert [result.note.split(",")[0] for result in taken] == ["nothing found", "taken", "taken"]
    (token,) = office.tokens
    assert not any(secret in repr(results) for secret in (token, "challenge-1", PASSWORD, CODE))


def test_try_uses_the_sign_in_guard_and_saves_the_session(family: RecipeClient, office: JsonOffice) -> None:
    try_results(family)
    assert family.world.sign_in_guard.submissions == [True]
    assert family.world.sign_in_guard.acceptances == 1

    family.read()
    assert office.issued == 1


def test_error_that_ends_a_try_is_shown_last(family: RecipeClient, tmp_path: Path) -> None:
    family.account = family.account.with_recipe(
        with_fault(tmp_path, 'expect = "json:items"', 'expect = "json:entries"')
    )

    results = try_results(family)

    assert results[-1].failed
    assert "UnexpectedAnswer" in results[-1].note
    assert [result.note for result in results if result.key_path == "cases.expect"] == ["missing"]


def test_rejected_sign_in_names_the_selector_that_matched(family: RecipeClient, server: LoopbackServer) -> None:
    family.account = account_of(RECIPE, base_url=server.origin, username=USERNAME, password="another")

    results = try_results(family)

    assert [result.selector for result in results if result.key_path == "sign_in[0].rejected"] == [
        "json:errors[?code=='bad_credentials']"
    ]
    assert results[-1].note.startswith("SignInRejected")


def test_recipe_is_checked_against_a_trace_offline(
    family: RecipeClient, server: LoopbackServer, tmp_path: Path
) -> None:
    folder = write_trace(family, tmp_path / "trace")
    server.requests.clear()

    results = {result.key_path: result for result in check_recipe(RECIPE, folder)}

    assert server.requests == []
    assert results["case.fields.status"].values == ("In study",)
    assert results["cases.case_number"].values == ("E000000001", "E000000002")
    assert results["case"].note == "E000000002: stage under_review, 0 pending, 0 notices, 1 history"
    assert not [result for result in results.values() if result.failed]


def test_outdated_selector_and_its_repair_are_visible_offline(family: RecipeClient, tmp_path: Path) -> None:
    folder = write_trace(family, tmp_path / "trace")
    broken = with_fault(tmp_path, 'status = "json:status.title"', 'status = "json:state.title"')

    failed = [result for result in check_recipe(broken, folder) if result.failed]

    assert {result.key_path for result in failed} == {"case.fields.status", "case"}
    assert [result for result in check_recipe(RECIPE, folder) if result.failed] == []


def test_check_without_a_trace_only_reports_faults(tmp_path: Path) -> None:
    assert check_recipe(RECIPE) == []

    with pytest.raises(RecipeFaults):
        check_recipe(with_fault(tmp_path, 'post = "/auth/code"', 'pst = "/auth/code"'))


def test_folder_without_a_trace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "001-GET-cases.answer.json").write_text("[]")

    with pytest.raises(ValueError, match="not an answer saved by"):
        check_recipe(RECIPE, tmp_path)
