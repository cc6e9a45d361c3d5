"""`watcher status`, `history`, `pending`, and `check`: output for people and for programs."""

import subprocess
import sys
from typing import Any

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.cli.pseudo_terminal import on_terminal
from tests.support.workspace import Workspace

ACCOUNT = {"name", "portal", "state", "last_attempt_at", "last_read_at", "next_read_at", "last_error"}
CASE = {
    "account", "case_number", "form", "title", "stage", "status", "status_since", "stage_since", "submitted_on",
    "last_read_at", "stalled", "pending", "notices",
}  # fmt: skip
ITEM = {"id", "kind", "title", "due_on", "due_by_estimate", "starts_at", "starts_on", "place", "state"}
CHANGE = {"id", "at", "account", "case_number", "kind", "severity", "summary", "old", "new"}
ALERT = {
    "id", "change_ids", "channel", "state", "attempts", "created_at", "next_attempt_at", "sent_at", "last_error",
}  # fmt: skip


@pytest.fixture
def evidence_workspace(workspace: ApiWorkspace) -> ApiWorkspace:
    """Return a workspace with a case that was checked twice. Evidence was requested in between."""
    workspace.check()
    workspace.ask_for_evidence()
    workspace.check()
    return workspace


@pytest.mark.parametrize("arguments", [("--version",), ("status",)])
def test_babel_is_not_loaded_without_dates(evidence_workspace: ApiWorkspace, arguments: tuple[str, ...]) -> None:
    completed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "watcher", *arguments],
        cwd=evidence_workspace.folder, env=evidence_workspace.environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "watcher.messages" in completed.stderr
    assert "babel" not in completed.stderr


class TestDocuments:
    def test_status_has_every_documented_key(self, evidence_workspace: ApiWorkspace) -> None:
        document = evidence_workspace.run("status", "--json").json
        (account,), (case,) = document["accounts"], document["cases"]
        assert account.keys() >= ACCOUNT
        assert case.keys() >= CASE
        assert case["pending"][0].keys() >= ITEM
        assert (account["state"], account["last_error"]) == ("ok", None)
        assert account["next_read_at"].endswith("Z")
        assert (case["stage"], case["stalled"]) == ("evidence_requested", False)

    def test_history_is_newest_first_with_every_key(self, evidence_workspace: ApiWorkspace) -> None:
        changes: list[dict[str, Any]] = evidence_workspace.run("history", "--json").json["changes"]
        assert all(change.keys() >= CHANGE for change in changes)
        assert [change["id"] for change in changes] == [3, 2, 1]
        assert changes[0]["at"].endswith("Z")
        assert (
            evidence_workspace.run("history", "ioe 0000-000001", "--json", "--limit", "1").json["changes"]
            == changes[:1]
        )

    def test_pending_has_every_key_and_the_case(self, evidence_workspace: ApiWorkspace) -> None:
        (item,) = evidence_workspace.run("pending", "--json").json["pending"]
        assert item.keys() >= ITEM | {"account", "case_number"}
        assert (item["case_number"], item["kind"], item["state"]) == (RECEIPT, "rfe", "open")

    def test_check_and_alerts_have_every_key(self, workspace: ApiWorkspace) -> None:
        (account,) = workspace.run("check", "--json").json["accounts"]
        assert account.keys() >= {"name", "outcome", "cases_read", "changes", "error"}
        assert (account["outcome"], account["cases_read"]) == ("ok", 1)
        assert account["changes"][0].keys() >= CHANGE
        (alert,) = workspace.run("alerts", "--json").json["alerts"]
        assert alert.keys() >= ALERT


class TestText:
    def test_empty_configuration_names_the_next_step(self, empty_workspace: Workspace) -> None:
        empty_workspace.write("")
        assert "watcher init" in empty_workspace.run("status").out
        assert empty_workspace.run("history").out == "No changes have been recorded yet.\n"
        assert empty_workspace.run("pending").out == "Nothing is open.\n"

    def test_unchecked_account_names_the_next_step(self, workspace: ApiWorkspace) -> None:
        output = workspace.run("status").out
        assert "not checked yet" in output
        assert "watcher check" in output
        assert workspace.run("status", "--json").json["accounts"][0].keys() >= ACCOUNT

    def test_estimated_date_is_marked(self, evidence_workspace: ApiWorkspace) -> None:
        (item,) = evidence_workspace.run("pending", "--json").json["pending"]
        assert item["due_on"] is None
        output = evidence_workspace.run("pending").out
        assert f"~{item['due_by_estimate']}" in output
        assert "latest possible date" in output

    def test_unknown_case_is_wrong_usage(self, workspace: ApiWorkspace) -> None:
        result = workspace.run("history", "IOE0000000001", expect=(2,))
        assert "Case IOE0000000001 has not been checked yet." in result.err
        workspace.check()
        result = workspace.run("history", "EAC9999000001", expect=(2,))
        assert "Case EAC9999000001 is not being watched. Watched: IOE0000000001." in result.err
        result = workspace.run("history", "IOE0000000010", expect=(2,))
        assert "Did you mean 'IOE0000000001'?" in result.err

    def test_state_is_shown_in_words(self, workspace: ApiWorkspace) -> None:
        workspace.api.client_secret = "changed at the portal"
        workspace.check()
        assert "sign-in rejected" in workspace.run("status").out
        assert workspace.run("status", "--json").json["accounts"][0]["state"] == "rejected"

    @pytest.mark.parametrize("command", ["status", "history", "pending"])
    def test_pipe_receives_no_escape_codes(self, evidence_workspace: ApiWorkspace, command: str) -> None:
        assert "\x1b" not in evidence_workspace.run(command).out

    def test_terminal_receives_color_unless_disabled(self, evidence_workspace: ApiWorkspace) -> None:
        assert "\x1b[" in on_terminal(evidence_workspace, "history")
        assert "\x1b[" not in on_terminal(evidence_workspace, "history", environ={"NO_COLOR": "1"})
        assert "\x1b[" not in on_terminal(evidence_workspace, "history", environ={"TERM": "dumb"})
