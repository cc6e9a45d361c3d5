"""`watcher run` for real while its machine's clock leaps, and while its disk fails."""

import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.api_workspace import ApiWorkspace
from tests.doubles.set_clock import SetClock, set_clock
from tests.support.waiting import eventually
from watcher.store.backup import backup_files
from watcher.store.backup.rotation import backups_in
from watcher.store.database.schema import HEAD

PATIENCE = 100.0
"""Real seconds. A job that failed is planned anew a minute on; where the clock is set in just that instant, it takes
that minute to come."""
QUICK = 'every = "3s"'


@pytest.fixture
def clock(tmp_path: Path) -> SetClock:
    return set_clock(tmp_path)


@dataclass(slots=True)
class Watchdog:
    """A service manager that wants a sign of life every second or so, and counts them."""

    listening: socket.socket
    signs: int = 0

    def listen(self) -> None:
        while heard := self.listening.recv(4096):
            self.signs += b"WATCHDOG=1" in heard

    def stop(self) -> None:
        self.listening.shutdown(socket.SHUT_RD)


@pytest.fixture
def watchdog(tmp_path: Path) -> Iterator[Watchdog]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        made = Watchdog(listening)
        thread = Thread(target=made.listen)
        thread.start()
        yield made
        made.stop()
        thread.join()


@pytest.fixture
def years(workspace: ApiWorkspace, clock: SetClock, watchdog: Watchdog) -> ApiWorkspace:
    """The watched case, on a machine whose clock can be set."""
    address = {"NOTIFY_SOCKET": watchdog.listening.getsockname(), "WATCHDOG_USEC": "3000000"}
    workspace.environ = {**clock.environ, **address}
    return workspace


@dataclass(slots=True)
class Running:
    """The daemon, and what it has said so far: through a pipe, for its disk is to fail."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def until(self, reached: Callable[[], object]) -> None:
        assert eventually(reached, within=PATIENCE), self.said

    def limit_files(self, size: int) -> None:
        """From now on it can write no byte beyond this into any file, as on a disk that is full."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def daemon(workspace: ApiWorkspace) -> Iterator[Running]:
    """Ends well, whatever happened."""
    with workspace.popen("run") as process:
        running = Running(process)
        listener = Thread(target=running.listen)
        listener.start()
        try:
            yield running
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, running.said
        finally:
            process.kill()
            listener.join()


def rang(workspace: ApiWorkspace, words: str) -> int:
    return sum(words in message["title"] for message in workspace.phone.messages)


class TestClock:
    def test_set_back_by_a_day_it_reads_on_and_says_that_it_lives(
        self, years: ApiWorkspace, clock: SetClock, watchdog: Watchdog
    ) -> None:
        years.write(years.sections.replace('every = "4h"', QUICK))
        with daemon(years) as running:
            running.until(lambda: len(years.api.case_requests) > 1)
            clock.move(-timedelta(days=1))
            time.sleep(0.5)
            years.ask_for_evidence()
            running.until(lambda: rang(years, "Evidence requested"))
            signs = watchdog.signs
            running.until(lambda: watchdog.signs > signs + 1)
        assert "clock_set_back" in running.said
        assert rang(years, "Evidence requested") == 1

    def test_a_clock_that_was_a_year_ahead_and_was_put_right_meanwhile_stops_no_read_and_no_alert(
        self, years: ApiWorkspace, clock: SetClock
    ) -> None:
        years.write(years.sections.replace('every = "4h"', QUICK))
        clock.move(timedelta(days=365))
        years.phone.status = 500
        with daemon(years) as running:
            running.until(lambda: years.phone.requests)
            running.until(lambda: "alert_not_sent" in running.said)
        years.phone.requests.clear()
        years.phone.status = 200
        clock.move(timedelta())
        asked = len(years.api.case_requests)
        with daemon(years) as running:
            running.until(lambda: len(years.api.case_requests) > asked)
            running.until(lambda: years.phone.requests)
        assert len(years.phone.requests) == 1

    def test_after_a_week_asleep_it_reads_once_at_once_and_tells_the_change_once(
        self, years: ApiWorkspace, clock: SetClock
    ) -> None:
        with daemon(years) as running:
            running.until(lambda: years.phone.requests)
            years.ask_for_evidence()
            asked = len(years.api.case_requests)
            clock.move(timedelta(days=7))
            running.until(lambda: rang(years, "Evidence requested"))
        assert len(years.api.case_requests) == asked + 1
        assert [message["title"].partition(": ")[2] for message in years.phone.messages][1:] == ["Evidence requested"]


class TestTrouble:
    def test_when_the_disk_takes_nothing_people_are_told_past_the_books_and_nothing_is_lost(
        self, years: ApiWorkspace, clock: SetClock
    ) -> None:
        with daemon(years) as running:
            running.until(lambda: years.phone.requests)
            running.until(lambda: "alert_sent" in running.said)
            running.limit_files(0)
            years.ask_for_evidence()
            clock.move(timedelta(hours=5))
            running.until(lambda: running.said.count("job_failed") == 1)
            assert len(years.phone.requests) == 1, "a moment is no news"
            clock.move(timedelta(hours=5, minutes=10))
            running.until(lambda: rang(years, "cannot write its database"))
            clock.move(timedelta(hours=5, minutes=20))
            running.until(lambda: running.said.count("job_failed") >= 3)
            assert len(years.phone.requests) == 2, "once a day is enough"
            running.limit_files(resource.RLIM_INFINITY)
            clock.move(timedelta(hours=10))
            running.until(lambda: rang(years, "Evidence requested"))
        assert len(years.phone.requests) == 3
        assert "Traceback" not in running.said

    def test_backups_come_when_they_are_due_and_the_oldest_goes(self, years: ApiWorkspace, clock: SetClock) -> None:
        years.configure('[backup]\nevery = "1d"\nkeep = 2\n')
        folder = years.state / "backups"
        with daemon(years) as running:
            running.until(lambda: len(backups_in(folder)) == 1)
            (first,) = backups_in(folder)
            clock.move(timedelta(hours=25))
            running.until(lambda: len(backups_in(folder)) == 2)
            hours = count(50)

            def is_gone() -> bool:
                clock.move(timedelta(hours=next(hours)))
                return first not in backups_in(folder)

            running.until(is_gone)
        assert len(backups_in(folder)) == 2
        assert {backup_files.examine(file).schema for file in backups_in(folder)} == {HEAD}
