"""Writing and repairing a recipe: what is shown, what is hidden, and what needs no sign-in."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.json_office import CODE, PASSWORD, USERNAME, JsonOffice, case_of
from tests.doubles.loopback import LoopbackServer
from tests.recipe.account import RECIPES, Household, account_of
from watcher.portals.recipe import PORTAL, try_recipe
from watcher.reading.trace import TraceFolder
from watcher.recipe.parse.check import RecipeFaults
from watcher.recipe.workshop.selector_report import SelectorResult
from watcher.recipe.workshop.workshop import check_recipe

RECIPE = RECIPES / "json-api.toml"


@pytest.fixture
def office() -> JsonOffice:
    return JsonOffice(cases={"E000000001": case_of("E000000001"), "E000000002": case_of("E000000002")})


def tried(family: Household) -> list[SelectorResult]:
    return list(try_recipe(family.account, replace(family.world.context(), codes=family.codes)))


def with_fault(folder: Path, old: str, new: str) -> Path:
    text = RECIPE.read_text()
    assert old in text
    path = folder / "changed.toml"
    path.write_text(text.replace(old, new))
    return path


def kept_trace(family: Household, folder: Path) -> Path:
    surroundings = replace(family.world.context(), codes=family.codes, trace=TraceFolder(folder, [PASSWORD]))
    with PORTAL.open(family.account, surroundings) as reader:
        assert len(list(reader.read())) == 2
    return folder


def test_trying_a_recipe_shows_what_every_selector_finds(family: Household) -> None:
    sights = {sight.key_path: sight for sight in tried(family)}

    assert not [sight for sight in sights.values() if sight.failed]
    assert sights["cases.case_number"].values == ("E000000001", "E000000002")
    assert sights["case.fields.status"].values == ("In study",)
    assert sights["case.fields.description"].values == ("Your file is with an officer.",)
    assert sights["case.history[0].each"].note == "1 found"
    assert "stage under_review" in sights["case"].note


def test_what_is_taken_is_never_shown(family: Household, office: JsonOffice) -> None:
    sights = tried(family)

    taken = [sight for sight in sights if ".take." in sight.key_path]
    assert [sight.note.split(",")[0] for sight in taken] == ["nothing found", "taken", "taken"]
    (token,) = office.tokens
    assert not any(secret in repr(sights) for secret in (token, "challenge-1", PASSWORD, CODE))


def test_trying_passes_the_gate_and_saves_the_session(family: Household, office: JsonOffice) -> None:
    tried(family)
    assert family.world.sign_in_guard.submissions == [True]
    assert family.world.sign_in_guard.acceptances == 1

    family.read()
    assert office.issued == 1


def test_what_stops_a_try_is_shown_last(family: Household, tmp_path: Path) -> None:
    family.account = family.account.with_recipe(
        with_fault(tmp_path, 'expect = "json:items"', 'expect = "json:entries"')
    )

    sights = tried(family)

    assert sights[-1].failed
    assert "UnexpectedAnswer" in sights[-1].note
    assert [sight.note for sight in sights if sight.key_path == "cases.expect"] == ["missing"]


def test_a_rejected_sign_in_shows_which_selector_said_so(family: Household, server: LoopbackServer) -> None:
    family.account = account_of(RECIPE, base_url=server.origin, username=USERNAME, password="another")

    sights = tried(family)

    assert [sight.selector for sight in sights if sight.key_path == "sign_in[0].rejected"] == [
        "json:errors[?code=='bad_credentials']"
    ]
    assert sights[-1].note.startswith("SignInRejected")


def test_a_recipe_is_checked_against_kept_answers_without_a_network(
    family: Household, server: LoopbackServer, tmp_path: Path
) -> None:
    folder = kept_trace(family, tmp_path / "trace")
    server.requests.clear()

    sights = {sight.key_path: sight for sight in check_recipe(RECIPE, folder)}

    assert server.requests == []
    assert sights["case.fields.status"].values == ("In study",)
    assert sights["cases.case_number"].values == ("E000000001", "E000000002")
    assert sights["case"].note == "E000000002: stage under_review, 0 pending, 0 notices, 1 history"
    assert not [sight for sight in sights.values() if sight.failed]


def test_a_selector_that_no_longer_fits_is_found_offline_and_the_repaired_one_too(
    family: Household, tmp_path: Path
) -> None:
    folder = kept_trace(family, tmp_path / "trace")
    broken = with_fault(tmp_path, 'status = "json:status.title"', 'status = "json:state.title"')

    wrong = [sight for sight in check_recipe(broken, folder) if sight.failed]

    assert {sight.key_path for sight in wrong} == {"case.fields.status", "case"}
    assert [sight for sight in check_recipe(RECIPE, folder) if sight.failed] == []


def test_checking_without_answers_says_only_the_faults(tmp_path: Path) -> None:
    assert check_recipe(RECIPE) == []

    with pytest.raises(RecipeFaults):
        check_recipe(with_fault(tmp_path, 'post = "/auth/code"', 'pst = "/auth/code"'))


def test_a_folder_of_something_else_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "001-GET-cases.answer.json").write_text("[]")

    with pytest.raises(ValueError, match="no answer that"):
        check_recipe(RECIPE, tmp_path)
