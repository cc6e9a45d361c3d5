"""A crash of the real command leaves no core dump, and its traceback contains no secret."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.cli.api_workspace import ApiWorkspace

SECRET = "CanaryInTheClientSecret7"
RAISE_LIMIT = 'ulimit -S -c "$(ulimit -H -c)" && exec "$@"'


def crash(process: "subprocess.Popen[str]") -> bool:
    """Abort the process. Return whether the system wrote a core dump."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


def start(workspace: ApiWorkspace, command: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["/bin/sh", "-c", RAISE_LIMIT, "sh", *command],
        cwd=workspace.folder,
        env=workspace.environment() | {"PYTHONFAULTHANDLER": "1"},
        stdin=subprocess.PIPE,  # inherited stdin may be closed, and input() would end the process
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_crashing_daemon_writes_no_core_dump_and_no_secret(workspace: ApiWorkspace) -> None:
    with start(workspace, [sys.executable, "-c", "print(flush=True); input()"]) as reference:
        assert reference.stdout is not None
        reference.stdout.readline()
        if not crash(reference):
            pytest.skip("this system writes no core dumps, so the test could not fail")
    workspace.configure(secret=SECRET)
    workspace.api.client_secret = SECRET
    with start(workspace, workspace.command("run", "--log-level", "debug")) as daemon:
        assert daemon.stderr is not None
        lines: list[str] = []
        while not lines or "alert_sent" not in lines[-1]:
            lines.append(daemon.stderr.readline())
        assert not crash(daemon)
        traceback = daemon.stderr.read()
    assert "Fatal Python error: Aborted" in traceback
    assert SECRET not in "".join(lines) + traceback
