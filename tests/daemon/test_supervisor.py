"""The supervisor: small at rest, and a worker whenever there is something to do, whatever happens to either of them."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace, api_workspace
from tests.daemon.running_daemon import RunningDaemon, running_daemon
from tests.daemon.test_lost_database import LOSSES, LOST, truncate
from tests.doubles.set_clock import set_clock
from tests.support.waiting import eventually
from tests.support.workspace import REPOSITORY

SECOND = "IOE0000000002"
MAX_MEBIBYTES = 24


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as workspace:
        yield workspace


@pytest.fixture
def daemon(workspace: ApiWorkspace) -> Iterator[RunningDaemon]:
    """A daemon that has checked its account and delivered the alert, and rests."""
    with running_daemon(workspace) as daemon:
        assert eventually(lambda: workspace.phone.requests), daemon.log
        daemon.until_it_rests()
        yield daemon


def make_due(workspace: ApiWorkspace) -> None:
    """Make the account due, as `watcher resume` does."""
    with workspace.app() as app:
        app.store.accounts.set_next_read("family", app.clock.now())


def titles(workspace: ApiWorkspace) -> list[str]:
    return [message["title"] for message in workspace.phone.messages]


def test_supervisor_needs_only_the_standard_library() -> None:
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import watcher.daemon.__main__"
    without_packages = [sys.executable, "-I", "-S", "-c", code]
    completed = subprocess.run(without_packages, capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stderr) == (0, "")


class TestRest:
    def test_only_a_small_process_is_left_and_ends_at_once(self, daemon: RunningDaemon) -> None:
        supervisor = psutil.Process(daemon.process.pid)
        assert eventually(lambda: not supervisor.children(recursive=True), within=10), daemon.log
        assert supervisor.memory_info().rss < MAX_MEBIBYTES * 2**20
        assert supervisor.num_threads() == 1
        signaled_at = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(30) == 0
        assert time.monotonic() - signaled_at < 1

    def test_what_another_process_writes_is_noticed(self, daemon: RunningDaemon, workspace: ApiWorkspace) -> None:
        workspace.ask_for_evidence()
        make_due(workspace)
        assert eventually(lambda: len(workspace.phone.requests) == 2), daemon.log
        daemon.until_it_rests()
        assert "Traceback" not in daemon.log

    def test_account_is_checked_when_it_is_due(self, workspace: ApiWorkspace) -> None:
        workspace.write(workspace.sections.replace('every = "4h"', 'every = "4s"'))
        with running_daemon(workspace) as daemon:
            seen: set[int] = set()

            def three_workers() -> bool:
                seen.update(worker.pid for worker in daemon.workers())
                return len(seen) > 2 and len(workspace.api.case_requests) > 2

            assert eventually(three_workers), daemon.log

    def test_clock_that_is_set_back_is_noticed(self, workspace: ApiWorkspace, tmp_path: Path) -> None:
        clock = set_clock(tmp_path)
        workspace.environ = clock.environ
        with running_daemon(workspace) as daemon:
            assert eventually(lambda: workspace.phone.requests), daemon.log
            daemon.until_it_rests()
            clock.move(-timedelta(days=1))
            assert eventually(lambda: "clock_set_back" in daemon.log), daemon.log
            assert eventually(lambda: len(workspace.phone.requests) == 2), daemon.log

    def test_machine_that_slept_checks_at_once(self, workspace: ApiWorkspace, tmp_path: Path) -> None:
        clock = set_clock(tmp_path)
        workspace.environ = clock.environ
        with running_daemon(workspace) as daemon:
            assert eventually(lambda: workspace.phone.requests), daemon.log
            daemon.until_it_rests()
            clock.move(timedelta(hours=5))
            assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log


class TestConfiguration:
    def test_edited_file_changes_nothing_before_a_reload(self, daemon: RunningDaemon, workspace: ApiWorkspace) -> None:
        workspace.api.add_cases(SECOND)
        sections = workspace.sections
        workspace.write(sections.replace(RECEIPT, SECOND))
        make_due(workspace)
        assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log
        daemon.until_it_rests()
        assert set(workspace.api.case_requests) == {RECEIPT}
        daemon.signal(signal.SIGHUP)
        assert eventually(lambda: "configuration_reloaded" in daemon.log), daemon.log
        make_due(workspace)
        assert eventually(lambda: SECOND in workspace.api.case_requests), daemon.log

    def test_faulty_file_is_refused_at_rest(self, daemon: RunningDaemon, workspace: ApiWorkspace) -> None:
        sections = workspace.sections
        workspace.write(sections.replace('every = "4h"', 'evry = "4h"'))
        daemon.signal(signal.SIGHUP)
        assert eventually(lambda: "the previous one stays in use" in daemon.log), daemon.log
        assert "configuration_fault" in daemon.log
        assert "evry" in daemon.log
        workspace.write(sections)
        make_due(workspace)
        assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log

    def test_faulty_file_at_the_start_ends_with_status_2(self, workspace: ApiWorkspace) -> None:
        workspace.write(workspace.sections.replace('every = "4h"', 'evry = "4h"'))
        with running_daemon(workspace) as daemon:
            assert daemon.process.wait(60) == 2
        assert "evry" in daemon.log
        assert "worker_died" not in daemon.log


class TestFailures:
    def test_worker_that_is_killed_is_followed_by_another(self, workspace: ApiWorkspace) -> None:
        with running_daemon(workspace) as daemon:
            assert eventually(lambda: workspace.api.case_requests), daemon.log
            daemon.until_it_works().kill()
            assert eventually(lambda: "worker_died" in daemon.log), daemon.log
            daemon.until_it_rests()
            with workspace.app() as app:
                planned = app.store.accounts.next_read("family")
                assert planned is None or planned <= app.clock.now() + timedelta(minutes=1)
            make_due(workspace)  # in place of waiting for that
            assert eventually(lambda: titles(workspace)), daemon.log

    def test_first_worker_that_is_killed_before_it_is_ready_is_followed_by_another(
        self, workspace: ApiWorkspace
    ) -> None:
        with running_daemon(workspace) as daemon:
            daemon.until_it_works().kill()
            assert eventually(lambda: "worker_died" in daemon.log), daemon.log
            assert "daemon_started" not in daemon.log
            assert eventually(lambda: workspace.api.case_requests), daemon.log
            daemon.until_it_rests()

    def test_worker_that_hangs_is_killed(self, workspace: ApiWorkspace) -> None:
        with running_daemon(workspace) as daemon:
            assert eventually(lambda: "daemon_started" in daemon.log)
            daemon.until_it_works().send_signal(signal.SIGSTOP)
            assert eventually(lambda: "worker_hangs" in daemon.log), daemon.log
            daemon.until_it_rests()

    def test_worker_that_cannot_be_started_is_reported_and_tried_again(
        self, daemon: RunningDaemon, workspace: ApiWorkspace
    ) -> None:
        pid = daemon.process.pid
        limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limit[1]))
        make_due(workspace)
        assert eventually(lambda: daemon.log.count("worker_not_started") > 1), daemon.log
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log
        daemon.until_it_rests()

    def test_worker_ends_with_its_supervisor_and_the_next_one_waits_for_it(self, workspace: ApiWorkspace) -> None:
        workspace.phone.hold.clear()
        with running_daemon(workspace) as first:
            assert eventually(lambda: workspace.phone.requests), first.log
            orphan = first.until_it_works()
            first.process.kill()
            with running_daemon(workspace) as second:
                successor = second.until_it_works()
                assert eventually(
                    lambda: any(Path(file.path).name == "worker.lock" for file in successor.open_files())
                ), second.log
                assert eventually(lambda: f"pid={orphan.pid}" in second.log), second.log
                assert "daemon_started" not in second.log
                workspace.phone.hold.set()
                assert eventually(lambda: "daemon_started" in second.log), second.log
                assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
                second.until_it_rests()
        assert len(workspace.phone.requests) == 1, "the message in flight was finished"

    def test_signals_for_the_daemon_do_not_end_a_worker(self, workspace: ApiWorkspace) -> None:
        with running_daemon(workspace) as daemon:
            worker = daemon.until_it_works()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                worker.send_signal(number)
            assert eventually(lambda: workspace.phone.requests), daemon.log
            daemon.until_it_rests()
        assert "worker_died" not in daemon.log


def test_upgraded_program_is_executed_again(workspace: ApiWorkspace) -> None:
    with running_daemon(workspace, "tests.daemon.upgraded_worker") as daemon:
        daemon.until_it_rests()
        (workspace.folder / "upgraded").touch()
        make_due(workspace)
        assert eventually(lambda: daemon.log.count("daemon_started") == 2), daemon.log
        assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log
        daemon.until_it_rests()
        assert "program_upgraded" in daemon.log


@pytest.mark.parametrize("lose", [*LOSSES, truncate])
def test_database_that_is_lost_at_rest_is_announced_once_and_kept(
    lose: Callable[[Path], None], daemon: RunningDaemon, workspace: ApiWorkspace
) -> None:
    lose(workspace.database)
    assert daemon.process.wait(60) == 1, daemon.log
    assert titles(workspace).count(LOST) == 1
    assert "database_lost" in daemon.log
    if not workspace.database.exists() and list(workspace.state.glob("*.lost-*")):
        (kept,) = workspace.state.glob("*.lost-*Z")
        kept.rename(workspace.database)
        with workspace.app() as app:
            assert len(app.store.history()) == 1
