"""`watcher explain` and `portals` as real commands, mostly without a configuration."""

import pytest

from tests.support.workspace import Workspace
from watcher import portals


def test_known_status_is_explained_without_a_configuration(empty_workspace: Workspace) -> None:
    result = empty_workspace.run("explain", "--json", "Case Was Received")
    explanation = result.json
    assert set(explanation) == {"text", "stage", "known", "plain", "next", "page", "advice"}
    assert (explanation["text"], explanation["stage"], explanation["known"]) == ("Case Was Received", "received", True)
    assert explanation["page"].startswith("https://")
    assert list(empty_workspace.folder.iterdir()) == []


def test_unknown_status_is_reported_as_unknown_verbatim(empty_workspace: Workspace) -> None:
    explanation = empty_workspace.run("explain", "--json", "Case", "Was", "Folded", "Into", "A", "Swan").json
    assert (explanation["text"], explanation["stage"], explanation["known"]) == (
        "Case Was Folded Into A Swan",
        "unknown",
        False,
    )


def test_explanation_says_that_it_is_not_legal_advice(empty_workspace: Workspace) -> None:
    result = empty_workspace.run("explain", "Refused")
    assert "not legal advice" in result.out
    assert "refused" in result.out


def test_language_comes_from_the_configuration_unless_overridden(empty_workspace: Workspace) -> None:
    empty_workspace.write('language = "es"\n')
    spanish = empty_workspace.run("explain", "--json", "received").json["plain"]
    english = empty_workspace.run("explain", "--json", "--language", "en", "received").json["plain"]
    assert spanish != english


def test_faulty_configuration_does_not_prevent_an_explanation(empty_workspace: Workspace) -> None:
    empty_workspace.write("nonsense = true\n")
    result = empty_workspace.run("explain", "--json", "received")
    assert result.json["known"]
    assert "this explanation is in English" in result.err


@pytest.mark.parametrize("arguments", [("explain",), ("explain", "--language", "tlh", "received")])
def test_wrong_usage_exits_with_2(empty_workspace: Workspace, arguments: tuple[str, ...]) -> None:
    empty_workspace.run(*arguments, expect=(2,))


def test_every_portal_is_listed_with_its_needs_and_what_it_sees(empty_workspace: Workspace) -> None:
    listed = empty_workspace.run("portals", "--json").json["portals"]
    assert [portal["name"] for portal in listed] == list(portals.names())
    for portal in listed:
        assert set(portal) == {"name", "title", "needs", "sees", "verified", "variants"}
        assert portal["needs"]
        assert portal["sees"]
        assert portal["verified"]


def test_portals_are_listed_as_text(empty_workspace: Workspace) -> None:
    result = empty_workspace.run("portals")
    for name in portals.names():
        assert f"{name}: {portals.find(name).title}" in result.out


def test_escape_sequences_of_the_argument_are_not_shown(empty_workspace: Workspace) -> None:
    text = "Case\x1b[31m Was\x1b]0;title\x07 Received\u202e"
    for arguments in (("explain", text), ("explain", "--json", text)):
        result = empty_workspace.run(*arguments)
        assert "Was" in result.out
        assert not {"\x1b", "\x07", "\u202e"} & set(result.out)
