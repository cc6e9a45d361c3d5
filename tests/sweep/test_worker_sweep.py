"""Promise 1 for the daemon: a kill before any SQL statement of a worker loses no change and repeats none.

The supervisor is played by the test, which answers as it does and starts the next worker.
"""

import shutil
import socket
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.support import fork_server
from tests.sweep.killed_command import KILLED_STATUS
from watcher import __version__
from watcher.daemon.options import Options, Pace
from watcher.model.alert import AlertState
from watcher.processes.channel import Channel

MAX_STATEMENTS = 400
EACH = 3
"""Every third statement; 1 means all. The commands' sweep kills the same recording before each of its own."""

PACE = Pace(idle=0.03, linger=1.0)
ANSWERS = {"configured": "open", "opened": "work", "idle": "end"}


def run_worker(workspace: ApiWorkspace, *, kill_before: int = 0) -> int:
    """Run a worker until it is done or killed. Return its exit status."""
    ours, theirs = socket.socketpair()
    start = {
        "is_first": True,
        "version": __version__,
        "must_examine": False,
        "settings": "",
        "set_back_by": 0.0,
        "carried": {},
    }
    with closing(Channel(ours)) as channel, TemporaryFile() as output:
        with theirs, theirs.makefile("rb") as stdin:
            command = fork_server.start(
                "tests.sweep.killed_worker",
                [str(kill_before)],
                workspace.folder,
                workspace.environment(),
                (stdin, output, output),
            )
        with command:
            options = Options(config=str(workspace.config))
            channel.send({"is": "start", **asdict(options), **asdict(PACE), **start})
            try:
                while (message := channel.receive(60)) is not None:
                    if message["is"] in ANSWERS:
                        channel.send({"is": ANSWERS[message["is"]]})
            except (EOFError, OSError):
                pass  # the worker has ended; its status says how
            status = command.wait(60)
        output.seek(0)
        assert status in {0, KILLED_STATUS}, output.read().decode()
        return status


def make_due(workspace: ApiWorkspace) -> None:
    with workspace.app() as app:
        app.store.accounts.set_next_read("family", app.clock.now())


def outcome(workspace: ApiWorkspace) -> tuple[list[str], set[str]]:
    """Return the recorded changes and the titles that were sent."""
    with workspace.app() as app:
        assert {alert.state for alert in app.store.outbox.list()} == {AlertState.SENT}
        kinds = sorted(change.change.kind.value for change in app.store.history())
    return kinds, {message["title"] for message in workspace.phone.messages}


@pytest.mark.timeout(600)
def test_a_kill_within_a_worker_loses_and_repeats_nothing(tmp_path: Path) -> None:
    with api_workspace(tmp_path) as workspace:
        assert run_worker(workspace) == 0
        workspace.ask_for_evidence()
        make_due(workspace)
        saved_state = tmp_path / "saved"
        shutil.copytree(workspace.state, saved_state)
        workspace.phone.requests.clear()
        assert run_worker(workspace) == 0
        expected = outcome(workspace)
        count = len(workspace.phone.requests)
        assert "rfe_received" in expected[0]
        for step in range(1, MAX_STATEMENTS, EACH):
            shutil.rmtree(workspace.state)
            shutil.copytree(saved_state, workspace.state)
            workspace.phone.requests.clear()
            status = run_worker(workspace, kill_before=step)
            make_due(workspace)  # a check that was cut off is repeated when the next one is due
            assert run_worker(workspace) == 0
            assert outcome(workspace) == expected, f"after a kill before statement {step}"
            assert len(workspace.phone.requests) - count in {0, 1}, f"after a kill before statement {step}"
            if status == 0:
                assert step > 20
                return
    pytest.fail(f"the worker had more than {MAX_STATEMENTS} statements")
