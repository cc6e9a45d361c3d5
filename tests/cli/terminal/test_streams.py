"""What the real command does where its standard streams are not as usual: closed, full, or of few letters."""

import json
import subprocess
from collections.abc import Sequence

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace

STATUS = "Case Was Received “today”"


@pytest.fixture
def curly(workspace: ApiWorkspace) -> ApiWorkspace:
    """The portal says something that not every encoding has letters for."""
    workspace.api.cases[RECEIPT]["case_status"]["current_case_status_text_en"] = STATUS
    workspace.check()
    return workspace


def in_a_shell(
    workspace: ApiWorkspace, redirection: str, words: Sequence[str], encoding: str = "utf-8"
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *workspace.command(*words)],
        cwd=workspace.folder,
        env=workspace.environment() | {"PYTHONIOENCODING": encoding},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding=encoding,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", [("status",), ("status", "--json"), ("export",), ("--help",), ("health",)])
def test_an_output_that_takes_nothing_is_told_in_one_line(workspace: ApiWorkspace, words: Sequence[str]) -> None:
    workspace.check()
    done = in_a_shell(workspace, "> /dev/full", words)
    assert (done.returncode, done.stderr) == (
        1,
        "watcher: standard output cannot be written to: No space left on device\n",
    )


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_leads_nowhere(workspace: ApiWorkspace, closed: str) -> None:
    done = in_a_shell(workspace, closed, ("check",))
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr
    assert workspace.run("status", "--json").json["cases"][0]["case_number"] == RECEIPT


@pytest.mark.parametrize("encoding", ["latin-1", "cp437"])
def test_a_terminal_of_few_letters_is_shown_what_it_can_show(curly: ApiWorkspace, encoding: str) -> None:
    done = in_a_shell(curly, "", ("status",), encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Case Was Received" in done.stdout
    done = in_a_shell(curly, "", ("status", "--json"), encoding)
    assert json.loads(done.stdout)["cases"][0]["status"] == STATUS


def test_what_is_exported_is_utf_8_whatever_the_terminal(curly: ApiWorkspace) -> None:
    done = in_a_shell(curly, "| cat", ("export",), "latin-1")
    assert STATUS in done.stdout.encode("latin-1").decode()
