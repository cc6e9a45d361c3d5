"""`watcher status`, `history`, `pending`, `check`: what a person and a program are shown of how things stand."""

import os
import pty
import subprocess
from typing import Any

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.support.workspace import Workspace

ACCOUNT = {"name", "portal", "state", "last_attempt_at", "last_read_at", "next_read_at", "last_error"}
CASE = {
    "account", "case_number", "form", "title", "stage", "status", "status_since", "stage_since", "submitted_on",
    "last_read_at", "stalled", "pending", "notices",
}  # fmt: skip
ITEM = {"id", "kind", "title", "due_on", "due_by_estimate", "starts_at", "place", "state"}
CHANGE = {"id", "at", "account", "case_number", "kind", "severity", "summary", "old", "new"}
ALERT = {
    "id", "change_ids", "channel", "state", "attempts", "created_at", "next_attempt_at", "sent_at", "last_error",
}  # fmt: skip


@pytest.fixture
def asked(workspace: ApiWorkspace) -> ApiWorkspace:
    """A case that has been read twice; the second time evidence was asked for."""
    workspace.check()
    workspace.ask_for_evidence()
    workspace.check()
    return workspace


class TestDocuments:
    def test_status_has_every_key_of_the_contract(self, asked: ApiWorkspace) -> None:
        said = asked.run("status", "--json").json
        (account,), (case,) = said["accounts"], said["cases"]
        assert account.keys() >= ACCOUNT
        assert case.keys() >= CASE
        assert case["pending"][0].keys() >= ITEM
        assert (account["state"], account["last_error"]) == ("ok", None)
        assert account["next_read_at"].endswith("Z")
        assert (case["stage"], case["stalled"]) == ("evidence_requested", False)

    def test_history_has_newest_first_and_every_key(self, asked: ApiWorkspace) -> None:
        changes: list[dict[str, Any]] = asked.run("history", "--json").json["changes"]
        assert all(change.keys() >= CHANGE for change in changes)
        assert [change["id"] for change in changes] == [3, 2, 1]
        assert changes[0]["at"].endswith("Z")
        assert asked.run("history", "ioe 0000-000001", "--json", "--limit", "1").json["changes"] == changes[:1]

    def test_pending_has_every_key_with_the_case(self, asked: ApiWorkspace) -> None:
        (item,) = asked.run("pending", "--json").json["pending"]
        assert item.keys() >= ITEM | {"account", "case_number"}
        assert (item["case_number"], item["kind"], item["state"]) == (RECEIPT, "rfe", "open")

    def test_check_has_every_key_and_alerts_too(self, workspace: ApiWorkspace) -> None:
        (account,) = workspace.run("check", "--json").json["accounts"]
        assert account.keys() >= {"name", "outcome", "cases_read", "changes", "error"}
        assert (account["outcome"], account["cases_read"]) == ("ok", 1)
        assert account["changes"][0].keys() >= CHANGE
        (alert,) = workspace.run("alerts", "--json").json["alerts"]
        assert alert.keys() >= ALERT


class TestForAPerson:
    def test_an_empty_start_says_what_to_do_next(self, empty_workspace: Workspace) -> None:
        empty_workspace.write("")
        assert "watcher init" in empty_workspace.run("status").out
        assert empty_workspace.run("history").out == "Nothing has been recorded yet.\n"
        assert empty_workspace.run("pending").out == "Nothing is open.\n"

    def test_an_account_that_was_never_read_says_what_to_do_next(self, workspace: ApiWorkspace) -> None:
        said = workspace.run("status").out
        assert "never_read" in said
        assert "watcher check" in said
        assert workspace.run("status", "--json").json["accounts"][0].keys() >= ACCOUNT

    def test_an_estimate_is_marked_as_one(self, asked: ApiWorkspace) -> None:
        (item,) = asked.run("pending", "--json").json["pending"]
        assert item["due_on"] is None
        said = asked.run("pending").out
        assert f"~{item['due_by_estimate']}" in said
        assert "the date on the notice governs" in said

    def test_a_case_that_is_not_in_the_books_is_wrong_usage(self, workspace: ApiWorkspace) -> None:
        said = workspace.run("history", "IOE0000000009", expect=(2,))
        assert "watcher status" in said.err

    @pytest.mark.parametrize("command", ["status", "history", "pending"])
    def test_a_pipe_is_sent_no_escape_codes(self, asked: ApiWorkspace, command: str) -> None:
        assert "\x1b" not in asked.run(command).out

    def test_a_terminal_is_sent_colour_unless_it_wants_none(self, asked: ApiWorkspace) -> None:
        assert "\x1b[" in on_a_terminal(asked, "history", {})
        assert "\x1b[" not in on_a_terminal(asked, "history", {"NO_COLOR": "1"})
        assert "\x1b[" not in on_a_terminal(asked, "history", {"TERM": "dumb"})


def on_a_terminal(workspace: ApiWorkspace, command: str, environ: dict[str, str]) -> str:
    """What the command prints where its standard output is a terminal."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        workspace.command(command),
        cwd=workspace.folder,
        env=workspace.environment() | {"TERM": "xterm"} | environ,
        stdout=theirs,
        check=True,
        timeout=60,
    )
    os.close(theirs)
    assert done.returncode == 0
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed and everything has been read
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    return said.decode()
