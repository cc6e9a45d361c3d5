"""`watcher health`, run for real beside a daemon and without one."""

import signal
import time

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.servers.running import free_port

TOKEN = "a-long-random-text"


def listening(host: str, *, token: str = "") -> str:
    return f'[health]\nlisten = "{host}:{free_port()}"\n' + (f'token = "{token}"\n' if token else "")


@pytest.mark.parametrize("served", [False, True])
def test_with_a_daemon_at_work_it_is_0_and_without_one_1(workspace: ApiWorkspace, *, served: bool) -> None:
    workspace.configure(listening("0.0.0.0", token=TOKEN) if served else "")  # noqa: S104
    alone = workspace.run("health", expect=(1,))
    assert "no " in alone.out
    daemon = workspace.popen("run")
    try:
        end = time.monotonic() + 60
        said = alone
        while said.status != 0 and time.monotonic() < end:
            said = workspace.run("health", expect=(0, 1))
        assert said.status == 0, said.out + said.err
        assert said.out.startswith("watching 1 account")
        assert workspace.run("health", "--json").json["status"] == "ok"
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=20)
    workspace.run("health", expect=(1,))


def test_the_token_is_not_shown(workspace: ApiWorkspace) -> None:
    workspace.configure(listening("0.0.0.0", token=TOKEN))  # noqa: S104
    said = workspace.run("health", expect=(1,))
    assert TOKEN not in said.out + said.err
