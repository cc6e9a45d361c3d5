"""`watcher explain`, `portals`, run for real, mostly with nothing set up."""

import pytest

from tests.support.watching import Watching
from watcher import portals


def test_a_known_status_is_explained_without_any_configuration(watching: Watching) -> None:
    said = watching.run("explain", "--json", "Case Was Received")
    found = said.json
    assert set(found) == {"text", "stage", "known", "plain", "next", "page", "advice"}
    assert (found["text"], found["stage"], found["known"]) == ("Case Was Received", "received", True)
    assert found["page"].startswith("https://")
    assert list(watching.folder.iterdir()) == []


def test_an_unknown_one_is_called_unknown_word_for_word(watching: Watching) -> None:
    found = watching.run("explain", "--json", "Case", "Was", "Folded", "Into", "A", "Swan").json
    assert (found["text"], found["stage"], found["known"]) == ("Case Was Folded Into A Swan", "unknown", False)


def test_a_person_reads_that_it_is_no_legal_advice(watching: Watching) -> None:
    said = watching.run("explain", "Refused")
    assert "no legal advice" in said.out
    assert "refused" in said.out


def test_the_language_is_that_of_the_configuration_unless_another_is_asked_for(watching: Watching) -> None:
    watching.write('language = "es"\n')
    spanish = watching.run("explain", "--json", "received").json["plain"]
    english = watching.run("explain", "--json", "--language", "en", "received").json["plain"]
    assert spanish != english


def test_a_faulty_configuration_does_not_stand_in_the_way(watching: Watching) -> None:
    watching.write("nonsense = true\n")
    said = watching.run("explain", "--json", "received")
    assert said.json["known"]
    assert "told in English" in said.err


@pytest.mark.parametrize("arguments", [("explain",), ("explain", "--language", "tlh", "received")])
def test_wrong_usage_is_status_2(watching: Watching, arguments: tuple[str, ...]) -> None:
    watching.run(*arguments, expect=(2,))


def test_every_portal_is_listed_with_what_it_needs_and_sees(watching: Watching) -> None:
    listed = watching.run("portals", "--json").json["portals"]
    assert [portal["name"] for portal in listed] == list(portals.names())
    for portal in listed:
        assert set(portal) == {"name", "title", "needs", "sees", "verified"}
        assert portal["needs"]
        assert portal["sees"]
        assert portal["verified"]


def test_a_person_reads_the_same(watching: Watching) -> None:
    said = watching.run("portals")
    for name in portals.names():
        assert f"{name}: {portals.find(name).title}" in said.out
