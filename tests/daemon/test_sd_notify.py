"""The notify protocol, against real datagram sockets and a real daemon in a process of its own."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.doubles.loopback import BodyChunks, ReceivedRequest, serve
from watcher.daemon.sd_notify import ServiceManager

ABSTRACT = pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="abstract sockets are Linux's own")


class Manager:
    """A service manager as far as notifying goes: a socket that listens."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(30.0)

    def hear(self) -> list[str]:
        """The lines of the next message."""
        return self._socket.recv(4096).decode().split("\n")

    def hear_until(self, line: str) -> list[list[str]]:
        """Every message up to the one that has this line."""
        heard = [self.hear()]
        while line not in heard[-1]:
            heard.append(self.hear())
        return heard

    def falls_silent(self, *, for_seconds: float, within: float) -> bool:
        """Whether nothing is said for so long, some time soon."""
        self._socket.settimeout(for_seconds)
        end = time.monotonic() + within
        while time.monotonic() < end:
            try:
                self.hear()
            except TimeoutError:
                return True
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", pytest.param("abstract", marks=ABSTRACT)])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@case-watcher-test-{os.getpid()}"
    made = Manager(address)
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as made:
        yield made


def test_each_message_is_one_datagram(manager: Manager) -> None:
    told = ServiceManager(address=manager.address)
    told.ready()
    told.alive("watching 2 accounts")
    told.stopping()
    assert manager.hear() == ["READY=1"]
    assert manager.hear() == ["WATCHDOG=1", "STATUS=watching 2 accounts"]
    assert manager.hear() == ["STOPPING=1", "STATUS=ending"]


def test_a_reload_says_when_it_began(manager: Manager) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    ServiceManager(address=manager.address).reloading()
    reloading, since = manager.hear()
    assert reloading == "RELOADING=1"
    name, _, microseconds = since.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(microseconds) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_status_cannot_smuggle_in_a_line_of_its_own(manager: Manager) -> None:
    ServiceManager(address=manager.address).alive("all is\nMAINPID=1\nwell " + "x" * 1000)
    life, status = manager.hear()
    assert life == "WATCHDOG=1"
    assert status.startswith("STATUS=all is MAINPID=1 well xxx")
    assert len(status) < 256


def test_without_a_manager_nothing_is_said() -> None:
    nobody = ServiceManager.of({})
    assert (nobody.address, nobody.watchdog) == (None, None)
    nobody.ready()


def test_a_manager_that_has_gone_is_no_reason_to_stop(tmp_path: Path) -> None:
    ServiceManager(address=str(tmp_path / "nobody")).ready()


@pytest.mark.parametrize(
    ("environ", "watchdog"),
    [
        ({"WATCHDOG_USEC": "30000000"}, timedelta(seconds=30)),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"}, timedelta(seconds=30)),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "78"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_a_watchdog_counts_where_it_is_meant_for_this_process(
    environ: dict[str, str], watchdog: timedelta | None
) -> None:
    assert ServiceManager.of(environ, pid=77).watchdog == watchdog


def test_the_daemon_tells_its_whole_life(manager: Manager, world: ApiWorkspace) -> None:
    world.environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
    daemon = world.popen("run")
    try:
        manager.hear_until("READY=1")
        _, status = manager.hear_until("WATCHDOG=1")[-1]
        assert status.startswith("STATUS=watching 1 account")
        daemon.send_signal(signal.SIGHUP)
        reloaded = manager.hear_until("READY=1")
        assert any("RELOADING=1" in message for message in reloaded)
        daemon.send_signal(signal.SIGTERM)
        manager.hear_until("STOPPING=1")
        assert daemon.wait(10) == 0
    finally:
        daemon.kill()
        daemon.communicate()


def test_a_database_that_does_not_answer_silences_the_watchdog(manager: Manager, world: ApiWorkspace) -> None:
    world.environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
    daemon = world.popen("run")
    try:
        manager.hear_until("READY=1")
        for _ in range(3):  # by now nothing that it asks is new to SQLite, which remembers what it has read
            manager.hear_until("WATCHDOG=1")
        for file in (world.database, world.database.with_name("watcher.sqlite3-wal")):
            os.truncate(file, 0)
        assert manager.falls_silent(for_seconds=3.0, within=30.0)
        assert daemon.poll() is None
    finally:
        daemon.kill()
        daemon.communicate()


def test_it_ends_at_once_though_a_portal_hangs(world: ApiWorkspace) -> None:
    asked, ended = threading.Event(), threading.Event()

    def never(_: ReceivedRequest) -> BodyChunks:
        asked.set()
        ended.wait(60)
        return b""

    with serve(never) as portal:
        world.origin = portal.origin
        world.configure()
        daemon = world.popen("run")
        try:
            assert asked.wait(60)
            began = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(30) == 0
            assert time.monotonic() - began < 5
        finally:
            ended.set()
            daemon.kill()
            daemon.communicate()
