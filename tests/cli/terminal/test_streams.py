"""The real command with unusual standard streams: closed, full, or with a limited encoding."""

import json
import subprocess
from collections.abc import Sequence

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace

STATUS = "Case Was Received “today”"


@pytest.fixture
def curly_workspace(workspace: ApiWorkspace) -> ApiWorkspace:
    """Return a workspace whose portal shows a status that not every encoding can represent."""
    workspace.api.cases[RECEIPT]["case_status"]["current_case_status_text_en"] = STATUS
    workspace.check()
    return workspace


def run_in_shell(
    workspace: ApiWorkspace, redirection: str, arguments: Sequence[str], encoding: str = "utf-8"
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *workspace.command(*arguments)],
        cwd=workspace.folder,
        env=workspace.environment() | {"PYTHONIOENCODING": encoding},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding=encoding,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [("status",), ("status", "--json"), ("export",), ("--help",), ("health",)])
def test_full_output_device_is_reported_in_one_line(workspace: ApiWorkspace, arguments: Sequence[str]) -> None:
    workspace.check()
    completed = run_in_shell(workspace, "> /dev/full", arguments)
    assert (completed.returncode, completed.stderr) == (
        1,
        "watcher: cannot write to standard output: No space left on device\n",
    )


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_are_ignored(workspace: ApiWorkspace, closed: str) -> None:
    completed = run_in_shell(workspace, closed, ("check",))
    assert (completed.returncode, completed.stdout) == (0, "")
    assert "Traceback" not in completed.stderr
    assert workspace.run("status", "--json").json["cases"][0]["case_number"] == RECEIPT


@pytest.mark.parametrize("encoding", ["latin-1", "cp437"])
def test_limited_encoding_shows_what_it_can_and_escapes_json(curly_workspace: ApiWorkspace, encoding: str) -> None:
    completed = run_in_shell(curly_workspace, "", ("status",), encoding)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert "Case Was Received" in completed.stdout
    completed = run_in_shell(curly_workspace, "", ("status", "--json"), encoding)
    assert json.loads(completed.stdout)["cases"][0]["status"] == STATUS


def test_export_is_utf_8_in_every_terminal_encoding(curly_workspace: ApiWorkspace) -> None:
    completed = run_in_shell(curly_workspace, "| cat", ("export",), "latin-1")
    assert STATUS in completed.stdout.encode("latin-1").decode()
