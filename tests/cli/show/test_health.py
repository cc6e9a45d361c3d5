"""`watcher health`, run for real beside a daemon and without one."""

import signal
import time

import pytest

from tests.cli.workspace import Bench
from tests.servers.running import free_port

TOKEN = "a-long-random-text"


def listening(host: str, *, token: str = "") -> str:
    return f'[health]\nlisten = "{host}:{free_port()}"\n' + (f'token = "{token}"\n' if token else "")


@pytest.mark.parametrize("served", [False, True])
def test_with_a_daemon_at_work_it_is_0_and_without_one_1(world: Bench, *, served: bool) -> None:
    world.configure(listening("0.0.0.0", token=TOKEN) if served else "")  # noqa: S104
    alone = world.run("health", expect=(1,))
    assert "no " in alone.out
    daemon = world.popen("run")
    try:
        end = time.monotonic() + 60
        said = alone
        while said.status != 0 and time.monotonic() < end:
            said = world.run("health", expect=(0, 1))
        assert said.status == 0, said.out + said.err
        assert said.out.startswith("watching 1 account")
        assert world.run("health", "--json").json["status"] == "ok"
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=20)
    world.run("health", expect=(1,))


def test_the_token_is_not_shown(world: Bench) -> None:
    world.configure(listening("0.0.0.0", token=TOKEN))  # noqa: S104
    said = world.run("health", expect=(1,))
    assert TOKEN not in said.out + said.err
