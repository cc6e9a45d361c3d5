"""`watcher run` as a real process: it stops quickly, reloads its configuration, and survives kills."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Timer

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.doubles.case_status_api import case_status
from tests.support.waiting import eventually
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind

SECOND = "IOE0000000002"
EXIT_TIMEOUT = 30.0
MAX_STOP_SECONDS = 5.0


def until(condition: Callable[[], object], description: str) -> None:
    assert eventually(condition), f"timed out waiting until {description}"


@contextmanager
def daemon(workspace: ApiWorkspace, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    with workspace.popen("run", *arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def stop(process: "subprocess.Popen[str]", *, status: int = 0) -> float:
    """Send SIGTERM. Return how many seconds the clean exit with this status took."""
    started_at = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=EXIT_TIMEOUT)
    assert process.returncode == status, err
    return time.monotonic() - started_at


def wait_for_first_check(workspace: ApiWorkspace) -> None:
    until(lambda: workspace.api.case_requests, "the portal received a request")
    until(lambda: workspace.phone.requests, "the phone received an alert")


class TestStop:
    def test_stops_within_five_seconds_while_a_portal_hangs(self, workspace: ApiWorkspace) -> None:
        release = Event()

        def hang(_receipt: str, _nth: int) -> None:
            release.wait(60)

        workspace.api.override = hang
        try:
            with daemon(workspace) as process:
                until(lambda: workspace.api.case_requests, "the portal received a request")
                assert stop(process) < MAX_STOP_SECONDS
        finally:
            release.set()
        with workspace.app() as app:
            assert app.store.history() == []

    def test_stop_finishes_a_message_in_flight_which_is_not_sent_again(self, workspace: ApiWorkspace) -> None:
        workspace.phone.hold.clear()
        with daemon(workspace) as process:
            until(lambda: workspace.phone.requests, "the phone received a request")
            Timer(1.0, workspace.phone.hold.set).start()
            assert 0.5 < stop(process) < MAX_STOP_SECONDS
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.SENT] == 1
            assert app.outbox_worker().deliver_due() == 0
        assert len(workspace.phone.requests) == 1

    def test_check_that_is_stopped_finishes_a_message_in_flight(self, workspace: ApiWorkspace) -> None:
        workspace.phone.hold.clear()
        with workspace.popen("check") as process:
            until(lambda: workspace.phone.requests, "the phone received a request")
            Timer(1.0, workspace.phone.hold.set).start()
            assert 0.5 < stop(process, status=128 + signal.SIGTERM) < MAX_STOP_SECONDS
        with workspace.app() as app:
            assert app.outbox_worker().deliver_due() == 0
        assert len(workspace.phone.requests) == 1

    def test_stops_at_once_when_idle(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace) as process:
            wait_for_first_check(workspace)
            assert stop(process) < MAX_STOP_SECONDS


class TestExclusiveRun:
    def test_second_daemon_is_refused_with_the_reason(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace) as process:
            wait_for_first_check(workspace)
            result = workspace.run("run", expect=(1,))
            assert "another `watcher run` already uses" in result.err
            assert process.poll() is None

    def test_check_beside_the_daemon_reports_a_change_once(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace):
            wait_for_first_check(workspace)
            workspace.ask_for_evidence()
            workspace.run("check", "--exit-code", expect=(10,))
            workspace.run("check", "--exit-code")
        titles = Counter(message["title"] for message in workspace.phone.messages)
        assert len(titles) == 2
        assert set(titles.values()) == {1}


class TestLogLevel:
    def test_delivery_error_is_stored_at_every_log_level(self, workspace: ApiWorkspace) -> None:
        workspace.phone.status = 500
        with daemon(workspace, "--log-level", "error"):
            until(lambda: workspace.run("alerts", "--json").json["alerts"], "there is an alert")
            until(lambda: workspace.run("alerts", "--json").json["alerts"][0]["attempts"], "it was tried")
        (alert,) = workspace.run("alerts", "--json").json["alerts"]
        assert "500" in alert["last_error"]


class TestReload:
    def test_new_account_is_checked_and_a_faulty_configuration_changes_nothing(self, workspace: ApiWorkspace) -> None:
        workspace.api.add_cases(SECOND)
        with daemon(workspace) as process:
            wait_for_first_check(workspace)
            valid_sections = workspace.sections
            workspace.write(valid_sections.replace('every = "4h"', 'evry = "4h"'))
            process.send_signal(signal.SIGHUP)
            lines = process.stderr
            assert lines is not None
            until(lambda: "the previous one stays in use" in lines.readline(), "the fault was logged")
            assert process.poll() is None
            account = valid_sections.partition("[accounts.family]")[2].partition("[channels.phone]")[0]
            another = account.replace(RECEIPT, SECOND).replace("made-up-id", "made-up-id-2")
            workspace.write(f"{valid_sections}\n[accounts.work]{another}")
            process.send_signal(signal.SIGHUP)
            until(lambda: SECOND in workspace.api.case_requests, "the new account was checked")
            assert stop(process) < MAX_STOP_SECONDS

    def test_corrected_credential_is_tried_at_once(self, workspace: ApiWorkspace) -> None:
        workspace.configure(secret="a-wrong-secret")
        with daemon(workspace) as process:
            until(lambda: workspace.phone.requests, "the phone was alerted to the rejection")
            assert workspace.api.case_requests == []
            workspace.configure()
            process.send_signal(signal.SIGHUP)
            until(lambda: workspace.api.case_requests, "the portal received the corrected credential")
            assert stop(process) < MAX_STOP_SECONDS


class TestKills:
    def test_restart_loop_sends_no_further_requests(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace):
            wait_for_first_check(workspace)
            until(lambda: account_health(workspace), "the next check was scheduled")
        requests_before = len(workspace.api.case_requests)
        for _ in range(4):
            with daemon(workspace) as process, pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.2)
        assert len(workspace.api.case_requests) == requests_before

    def test_kills_lose_no_change_and_repeat_at_most_the_last_alert(self, workspace: ApiWorkspace) -> None:
        random_generator = random.Random(7)  # noqa: S311
        workspace.configure()
        workspace.write(workspace.sections.replace('every = "4h"', 'every = "1m"'))
        titles = ["Request for Additional Evidence Was Sent", "Case Was Approved", "Case Was Denied"]
        kills = 0
        for title in titles:
            workspace.api.cases[RECEIPT] = case_status(RECEIPT, title)
            with workspace.app() as app:
                if app.store.accounts.all():
                    app.store.accounts.set_next_read("family", app.clock.now())
            with daemon(workspace) as process:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(random_generator.uniform(0.5, 2.0))
                kills += 1
            workspace.check()
        titles_sent = Counter(message["title"] for message in workspace.phone.messages)
        with workspace.app() as app:
            alerts, changes = app.store.outbox.list(), app.store.history()
        stages = [
            change.change.new["stage"]
            for change in reversed(changes)
            if isinstance(change.change.new, dict) and change.change.kind is ChangeKind.STAGE_CHANGED
        ]
        assert stages == ["approved", "denied"]
        assert [change.change.kind for change in changes].count(ChangeKind.CASE_ADDED) == 1
        assert [change.change.kind for change in changes].count(ChangeKind.RFE_RECEIVED) == 1
        assert {alert.state for alert in alerts} == {AlertState.SENT}
        assert set(titles_sent) == {alert.title for alert in alerts}
        assert sum(titles_sent.values()) - len(alerts) <= kills


def account_health(workspace: ApiWorkspace) -> object:
    with workspace.app() as app:
        return app.store.accounts.all().get("family", (None, None))[0]
