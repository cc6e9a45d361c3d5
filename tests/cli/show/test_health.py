"""`watcher health` as a real command, with and without a daemon."""

import signal
import time

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.servers.running import free_port

TOKEN = "a-long-random-text"


def health_section(host: str, *, token: str = "") -> str:
    return f'[health]\nlisten = "{host}:{free_port()}"\n' + (f'token = "{token}"\n' if token else "")


@pytest.mark.parametrize("with_server", [False, True])
def test_exits_with_0_beside_a_daemon_and_with_1_without_one(workspace: ApiWorkspace, *, with_server: bool) -> None:
    workspace.configure(health_section("0.0.0.0", token=TOKEN) if with_server else "")  # noqa: S104
    stopped = workspace.run("health", expect=(1,))
    assert "`watcher run`" in stopped.out
    daemon = workspace.popen("run")
    try:
        deadline = time.monotonic() + 60
        result = stopped
        while result.status != 0 and time.monotonic() < deadline:
            result = workspace.run("health", expect=(0, 1))
        assert result.status == 0, result.out + result.err
        assert result.out.startswith("watching 1 account")
        assert workspace.run("health", "--json").json["status"] == "ok"
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=20)
    workspace.run("health", expect=(1,))


def test_token_is_not_shown(workspace: ApiWorkspace) -> None:
    workspace.configure(health_section("0.0.0.0", token=TOKEN))  # noqa: S104
    result = workspace.run("health", expect=(1,))
    assert TOKEN not in result.out + result.err
