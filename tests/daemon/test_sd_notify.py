"""The notify protocol, with real datagram sockets and a real daemon in its own process."""

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

ABSTRACT = pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="only Linux has abstract sockets")


class Manager:
    """A service manager's end of the notify protocol."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(30.0)

    def receive(self) -> list[str]:
        """Return the lines of the next message."""
        return self._socket.recv(4096).decode().split("\n")

    def receive_until(self, line: str) -> list[list[str]]:
        """Return every message up to the one that has this line."""
        messages = [self.receive()]
        while line not in messages[-1]:
            messages.append(self.receive())
        return messages

    def falls_silent(self, *, for_seconds: float, within: float) -> bool:
        """Return whether `within` seconds there is a gap of `for_seconds` without a message."""
        self._socket.settimeout(for_seconds)
        end = time.monotonic() + within
        while time.monotonic() < end:
            try:
                self.receive()
            except TimeoutError:
                return True
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", pytest.param("abstract", marks=ABSTRACT)])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@case-watcher-test-{os.getpid()}"
    manager = Manager(address)
    yield manager
    manager.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as workspace:
        yield workspace


def test_each_message_is_one_datagram(manager: Manager) -> None:
    notifier = ServiceManager(address=manager.address)
    notifier.ready()
    notifier.keep_alive("watching 2 accounts")
    notifier.stopping()
    assert manager.receive() == ["READY=1"]
    assert manager.receive() == ["WATCHDOG=1", "STATUS=watching 2 accounts"]
    assert manager.receive() == ["STOPPING=1", "STATUS=ending"]


def test_reload_message_has_its_start_time(manager: Manager) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    ServiceManager(address=manager.address).reloading()
    reloading, started = manager.receive()
    assert reloading == "RELOADING=1"
    name, _, microseconds = started.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(microseconds) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_status_cannot_add_a_line_to_the_message(manager: Manager) -> None:
    ServiceManager(address=manager.address).keep_alive("all is\nMAINPID=1\nwell " + "x" * 1000)
    keep_alive, status = manager.receive()
    assert keep_alive == "WATCHDOG=1"
    assert status.startswith("STATUS=all is MAINPID=1 well xxx")
    assert len(status) < 256


def test_nothing_is_sent_without_a_manager() -> None:
    manager = ServiceManager.from_environ({})
    assert (manager.address, manager.watchdog) == (None, None)
    manager.ready()


def test_unreachable_manager_is_no_error(tmp_path: Path) -> None:
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
def test_watchdog_is_used_only_if_set_for_this_process(environ: dict[str, str], watchdog: timedelta | None) -> None:
    assert ServiceManager.from_environ(environ, pid=77).watchdog == watchdog


def test_daemon_notifies_start_reload_and_end(manager: Manager, workspace: ApiWorkspace) -> None:
    workspace.environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
    daemon = workspace.popen("run")
    try:
        manager.receive_until("READY=1")
        _, status = manager.receive_until("WATCHDOG=1")[-1]
        assert status.startswith("STATUS=watching 1 account")
        daemon.send_signal(signal.SIGHUP)
        reloaded = manager.receive_until("READY=1")
        assert any("RELOADING=1" in message for message in reloaded)
        daemon.send_signal(signal.SIGTERM)
        manager.receive_until("STOPPING=1")
        assert daemon.wait(10) == 0
    finally:
        daemon.kill()
        daemon.communicate()


def test_watchdog_is_not_notified_while_the_database_does_not_answer(manager: Manager, workspace: ApiWorkspace) -> None:
    workspace.environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
    daemon = workspace.popen("run")
    try:
        manager.receive_until("READY=1")
        for _ in range(3):  # by now SQLite answers the queries from its cache
            manager.receive_until("WATCHDOG=1")
        for file in (workspace.database, workspace.database.with_name("watcher.sqlite3-wal")):
            with file.open("r+b") as stream:
                stream.write(b"x" * file.stat().st_size)
        assert manager.falls_silent(for_seconds=3.0, within=30.0)
    finally:
        daemon.kill()
        daemon.communicate()


def test_daemon_ends_within_the_grace_of_a_request_while_a_portal_hangs(workspace: ApiWorkspace) -> None:
    requested, ended = threading.Event(), threading.Event()

    def hang(_: ReceivedRequest) -> BodyChunks:
        requested.set()
        ended.wait(60)
        return b""

    with serve(hang) as portal:
        workspace.origin = portal.origin
        workspace.configure()
        daemon = workspace.popen("run")
        try:
            assert requested.wait(60)
            signaled_at = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(30) == 0
            assert time.monotonic() - signaled_at < 5
        finally:
            ended.set()
            daemon.kill()
            daemon.communicate()
