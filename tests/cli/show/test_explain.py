"""`watcher explain`, `portals`, run for real, mostly with nothing set up."""

import pytest

from tests.support.workspace import Workspace
from watcher import portals


def test_a_known_status_is_explained_without_any_configuration(empty_workspace: Workspace) -> None:
    said = empty_workspace.run("explain", "--json", "Case Was Received")
    found = said.json
    assert set(found) == {"text", "stage", "known", "plain", "next", "page", "advice"}
    assert (found["text"], found["stage"], found["known"]) == ("Case Was Received", "received", True)
    assert found["page"].startswith("https://")
    assert list(empty_workspace.folder.iterdir()) == []


def test_an_unknown_one_is_called_unknown_word_for_word(empty_workspace: Workspace) -> None:
    found = empty_workspace.run("explain", "--json", "Case", "Was", "Folded", "Into", "A", "Swan").json
    assert (found["text"], found["stage"], found["known"]) == ("Case Was Folded Into A Swan", "unknown", False)


def test_a_person_reads_that_it_is_no_legal_advice(empty_workspace: Workspace) -> None:
    said = empty_workspace.run("explain", "Refused")
    assert "no legal advice" in said.out
    assert "refused" in said.out


def test_the_language_is_that_of_the_configuration_unless_another_is_asked_for(empty_workspace: Workspace) -> None:
    empty_workspace.write('language = "es"\n')
    spanish = empty_workspace.run("explain", "--json", "received").json["plain"]
    english = empty_workspace.run("explain", "--json", "--language", "en", "received").json["plain"]
    assert spanish != english


def test_a_faulty_configuration_does_not_stand_in_the_way(empty_workspace: Workspace) -> None:
    empty_workspace.write("nonsense = true\n")
    said = empty_workspace.run("explain", "--json", "received")
    assert said.json["known"]
    assert "told in English" in said.err


@pytest.mark.parametrize("arguments", [("explain",), ("explain", "--language", "tlh", "received")])
def test_wrong_usage_is_status_2(empty_workspace: Workspace, arguments: tuple[str, ...]) -> None:
    empty_workspace.run(*arguments, expect=(2,))


def test_every_portal_is_listed_with_what_it_needs_and_sees(empty_workspace: Workspace) -> None:
    listed = empty_workspace.run("portals", "--json").json["portals"]
    assert [portal["name"] for portal in listed] == list(portals.names())
    for portal in listed:
        assert set(portal) == {"name", "title", "needs", "sees", "verified"}
        assert portal["needs"]
        assert portal["sees"]
        assert portal["verified"]


def test_a_person_reads_the_same(empty_workspace: Workspace) -> None:
    said = empty_workspace.run("portals")
    for name in portals.names():
        assert f"{name}: {portals.find(name).title}" in said.out
