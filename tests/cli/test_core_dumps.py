"""A crash of the real command leaves no picture of its memory, and what it says of the crash holds no secret."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.cli.api_workspace import ApiWorkspace

SECRET = "CanaryInTheClientSecret7"
AS_MUCH_AS_ALLOWED = 'ulimit -S -c "$(ulimit -H -c)" && exec "$@"'


def crash(process: "subprocess.Popen[str]") -> bool:
    """Kills it as a fault of its own would; returns whether the system took a dump."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


def begin(workspace: ApiWorkspace, command: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["/bin/sh", "-c", AS_MUCH_AS_ALLOWED, "sh", *command],
        cwd=workspace.folder,
        env=workspace.environment() | {"PYTHONFAULTHANDLER": "1"},
        stdin=subprocess.PIPE,  # whoever runs the tests may have none, and input() would end the process
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_daemon_that_crashes_dumps_nothing_and_names_no_secret(workspace: ApiWorkspace) -> None:
    with begin(workspace, [sys.executable, "-c", "print(flush=True); input()"]) as other:
        assert other.stdout is not None
        other.stdout.readline()
        if not crash(other):
            pytest.skip("this system takes no core dump of anything; nothing could be told apart")
    workspace.configure(secret=SECRET)
    workspace.api.client_secret = SECRET
    with begin(workspace, workspace.command("run", "--log-level", "debug")) as daemon:
        assert daemon.stderr is not None
        said: list[str] = []
        while not said or "alert_sent" not in said[-1]:
            said.append(daemon.stderr.readline())
        assert not crash(daemon)
        crashed = daemon.stderr.read()
    assert "Fatal Python error: Aborted" in crashed
    assert SECRET not in "".join(said) + crashed
