"""`watcher run` as a real process while the machine's clock jumps and while its disk fails."""

import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Thread

import psutil
import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.daemon.running_daemon import RunningDaemon
from tests.doubles.set_clock import SetClock, set_clock
from tests.support.waiting import eventually
from watcher.store.backup import backup_files
from watcher.store.backup.rotation import backups_in
from watcher.store.database.schema import HEAD

TIMEOUT = 100.0
"""Seconds.

A failed job is scheduled again after a minute. If the clock is set at that very moment, the job takes that minute.
"""
FREQUENT = 'every = "3s"'


@pytest.fixture
def clock(tmp_path: Path) -> SetClock:
    return set_clock(tmp_path)


@dataclass(slots=True)
class Watchdog:
    """A service manager that expects a watchdog ping about every second, and counts them."""

    listening: socket.socket
    pings: int = 0

    def listen(self) -> None:
        while message := self.listening.recv(4096):
            self.pings += b"WATCHDOG=1" in message

    def stop(self) -> None:
        self.listening.shutdown(socket.SHUT_RD)


@pytest.fixture
def watchdog(tmp_path: Path) -> Iterator[Watchdog]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        watchdog = Watchdog(listening)
        thread = Thread(target=watchdog.listen)
        thread.start()
        yield watchdog
        watchdog.stop()
        thread.join()


@pytest.fixture
def clock_workspace(workspace: ApiWorkspace, clock: SetClock, watchdog: Watchdog) -> ApiWorkspace:
    """Return the workspace with the watched case on a machine whose clock can be set."""
    address = {"NOTIFY_SOCKET": watchdog.listening.getsockname(), "WATCHDOG_USEC": "3000000"}
    workspace.environ = {**clock.environ, **address}
    return workspace


class DaemonProcess(RunningDaemon):
    """The daemon and its log so far, read through a pipe because its disk will fail."""

    def until(self, condition: Callable[[], object]) -> None:
        assert eventually(condition, within=TIMEOUT), self.log

    def limit_files(self, size: int) -> None:
        """Stop the daemon from writing beyond this size in any file, as on a full disk."""
        supervisor = psutil.Process(self.process.pid)
        for process in (supervisor, *supervisor.children(recursive=True)):  # later workers inherit the limit
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def daemon(workspace: ApiWorkspace) -> Iterator[DaemonProcess]:
    """Run the daemon. It must exit cleanly."""
    with workspace.popen("run") as process:
        running = DaemonProcess(process)
        listener = Thread(target=running.listen)
        listener.start()
        try:
            yield running
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT) == 0, running.log
        finally:
            process.kill()
            listener.join()


def alerts_with(workspace: ApiWorkspace, title_part: str) -> int:
    return sum(title_part in message["title"] for message in workspace.phone.messages)


class TestClock:
    def test_clock_set_back_by_a_day_stops_neither_checks_nor_watchdog(
        self, clock_workspace: ApiWorkspace, clock: SetClock, watchdog: Watchdog
    ) -> None:
        clock_workspace.write(clock_workspace.sections.replace('every = "4h"', FREQUENT))
        with daemon(clock_workspace) as running:
            running.until(lambda: len(clock_workspace.api.case_requests) > 1)
            clock.move(-timedelta(days=1))
            time.sleep(0.5)
            clock_workspace.ask_for_evidence()
            running.until(lambda: alerts_with(clock_workspace, "asks for evidence"))
            pings = watchdog.pings
            running.until(lambda: watchdog.pings > pings + 1)
        assert "clock_set_back" in running.log
        assert alerts_with(clock_workspace, "asks for evidence") == 1

    def test_corrected_clock_that_was_a_year_ahead_stops_no_check_and_no_alert(
        self, clock_workspace: ApiWorkspace, clock: SetClock
    ) -> None:
        clock_workspace.write(clock_workspace.sections.replace('every = "4h"', FREQUENT))
        clock.move(timedelta(days=365))
        clock_workspace.phone.status = 500
        with daemon(clock_workspace) as running:
            running.until(lambda: clock_workspace.phone.requests)
            running.until(lambda: "alert_not_sent" in running.log)
        clock_workspace.phone.requests.clear()
        clock_workspace.phone.status = 200
        clock.move(timedelta())
        requests_before = len(clock_workspace.api.case_requests)
        with daemon(clock_workspace) as running:
            running.until(lambda: len(clock_workspace.api.case_requests) > requests_before)
            running.until(lambda: clock_workspace.phone.requests)
        assert len(clock_workspace.phone.requests) == 1

    def test_after_a_week_of_sleep_it_checks_once_at_once_and_alerts_once(
        self, clock_workspace: ApiWorkspace, clock: SetClock
    ) -> None:
        with daemon(clock_workspace) as running:
            running.until(lambda: clock_workspace.phone.requests)
            clock_workspace.ask_for_evidence()
            requests_before = len(clock_workspace.api.case_requests)
            clock.move(timedelta(days=7))
            running.until(lambda: alerts_with(clock_workspace, "asks for evidence"))
        assert len(clock_workspace.api.case_requests) == requests_before + 1
        assert [message["title"].partition(": ")[2] for message in clock_workspace.phone.messages][1:] == [
            "USCIS asks for evidence: the date has passed"
        ]


class TestDisk:
    def test_full_disk_sends_an_emergency_notice_and_loses_nothing(
        self, clock_workspace: ApiWorkspace, clock: SetClock
    ) -> None:
        with daemon(clock_workspace) as running:
            running.until(lambda: clock_workspace.phone.requests)
            running.until(lambda: "alert_sent" in running.log)
            running.limit_files(0)
            clock_workspace.ask_for_evidence()
            clock.move(timedelta(hours=5))
            running.until(lambda: running.log.count("job_failed") == 1)
            assert len(clock_workspace.phone.requests) == 1, "a short failure sends no notice"
            clock.move(timedelta(hours=5, minutes=10))
            running.until(lambda: alerts_with(clock_workspace, "cannot write to its database"))
            clock.move(timedelta(hours=5, minutes=20))
            running.until(lambda: running.log.count("job_failed") >= 3)
            assert len(clock_workspace.phone.requests) == 2, "once a day is enough"
            running.limit_files(resource.RLIM_INFINITY)
            clock.move(timedelta(hours=10))
            running.until(lambda: alerts_with(clock_workspace, "asks for evidence"))
            running.until(lambda: alerts_with(clock_workspace, "can write to its database again"))
        assert len(clock_workspace.phone.requests) == 4
        assert "Traceback" not in running.log

    def test_backups_are_made_when_due_and_the_oldest_is_removed(
        self, clock_workspace: ApiWorkspace, clock: SetClock
    ) -> None:
        clock_workspace.configure('[backup]\nevery = "1d"\nkeep = 2\n')
        folder = clock_workspace.state / "backups"
        with daemon(clock_workspace) as running:
            running.until(lambda: len(backups_in(folder)) == 1)
            (first,) = backups_in(folder)
            hours = count(25)

            # A job that was still running when the clock was set waits for an hour of the new time: move it again.
            def is_gone() -> bool:
                clock.move(timedelta(hours=next(hours)))
                return first not in backups_in(folder)

            running.until(is_gone)
        assert len(backups_in(folder)) == 2
        assert {backup_files.examine(file).schema for file in backups_in(folder)} == {HEAD}
