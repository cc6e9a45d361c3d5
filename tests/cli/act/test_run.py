"""`watcher run` for real: it ends at once when told to, rereads what it is told to, and survives being killed."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.doubles.case_status_api import case_status
from tests.support.waiting import eventually
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind

SECOND = "IOE0000000002"
PATIENCE = 30.0
WITHIN = 5.0


def until(reached: Callable[[], object], what: str) -> None:
    assert eventually(reached), f"it took too long until {what}"


@contextmanager
def daemon(workspace: ApiWorkspace, *words: str) -> Iterator["subprocess.Popen[str]"]:
    with workspace.popen("run", *words) as process:
        try:
            yield process
        finally:
            process.kill()


def end(process: "subprocess.Popen[str]") -> float:
    """Says SIGTERM; returns how many seconds it took to end well."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return time.monotonic() - begun


def read_once(workspace: ApiWorkspace) -> None:
    until(lambda: workspace.api.case_requests, "the portal was asked")
    until(lambda: workspace.phone.requests, "the phone rang")


class TestEnding:
    def test_it_ends_within_five_seconds_while_a_portal_hangs(self, workspace: ApiWorkspace) -> None:
        answering = Event()

        def hang(_receipt: str, _nth: int) -> None:
            answering.wait(60)

        workspace.api.override = hang
        try:
            with daemon(workspace) as process:
                until(lambda: workspace.api.case_requests, "the portal was asked")
                assert end(process) < WITHIN
        finally:
            answering.set()
        with workspace.app() as app:
            assert app.store.history() == []

    def test_it_ends_within_five_seconds_while_a_channel_hangs_and_the_alert_is_still_there(
        self, workspace: ApiWorkspace
    ) -> None:
        workspace.phone.hold.clear()
        with daemon(workspace) as process:
            until(lambda: workspace.phone.requests, "the phone was asked")
            assert end(process) < WITHIN
        workspace.phone.hold.set()
        with workspace.app() as app:
            assert app.store.outbox.counts()[AlertState.QUEUED] == 1

    def test_it_ends_at_once_when_nothing_is_to_do(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace) as process:
            read_once(workspace)
            assert end(process) < WITHIN


class TestOneAtATime:
    def test_a_second_daemon_is_refused_with_a_clear_word(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace) as process:
            read_once(workspace)
            said = workspace.run("run", expect=(1,))
            assert "another `watcher run` already works on" in said.err
            assert process.poll() is None

    def test_a_check_beside_it_reports_a_change_once(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace):
            read_once(workspace)
            workspace.ask_for_evidence()
            workspace.run("check", "--exit-code", expect=(10,))
            workspace.run("check", "--exit-code")
        titles = Counter(message["title"] for message in workspace.phone.messages)
        assert len(titles) == 2
        assert set(titles.values()) == {1}


class TestLogLevel:
    def test_why_a_channel_took_nothing_is_known_however_little_is_logged(self, workspace: ApiWorkspace) -> None:
        workspace.phone.status = 500
        with daemon(workspace, "--log-level", "error"):
            until(lambda: workspace.run("alerts", "--json").json["alerts"], "there is an alert")
            until(lambda: workspace.run("alerts", "--json").json["alerts"][0]["attempts"], "it was tried")
        (alert,) = workspace.run("alerts", "--json").json["alerts"]
        assert "500" in alert["last_error"]


class TestRereading:
    def test_a_new_account_is_read_and_a_faulty_configuration_changes_nothing(self, workspace: ApiWorkspace) -> None:
        workspace.api.add_cases(SECOND)
        with daemon(workspace) as process:
            read_once(workspace)
            good = workspace.sections
            workspace.write(good.replace('every = "4h"', 'evry = "4h"'))
            process.send_signal(signal.SIGHUP)
            lines = process.stderr
            assert lines is not None
            until(lambda: "going on with the old" in lines.readline(), "it said so")
            assert process.poll() is None
            account = good.partition("[accounts.family]")[2].partition("[channels.phone]")[0]
            workspace.write(f"{good}\n[accounts.work]{account.replace(RECEIPT, SECOND)}")
            process.send_signal(signal.SIGHUP)
            until(lambda: SECOND in workspace.api.case_requests, "the new account was read")
            assert end(process) < WITHIN

    def test_a_refused_credential_that_was_corrected_is_tried_at_once(self, workspace: ApiWorkspace) -> None:
        workspace.configure(secret="a-wrong-secret")
        with daemon(workspace) as process:
            until(lambda: workspace.phone.requests, "the phone rang because it was refused")
            assert workspace.api.case_requests == []
            workspace.configure()
            process.send_signal(signal.SIGHUP)
            until(lambda: workspace.api.case_requests, "the portal was asked with the right one")
            assert end(process) < WITHIN


class TestKills:
    def test_a_restart_loop_is_no_request_loop(self, workspace: ApiWorkspace) -> None:
        with daemon(workspace):
            read_once(workspace)
            until(lambda: next_read(workspace), "the turn was planned")
        asked = len(workspace.api.case_requests)
        for _ in range(4):
            with daemon(workspace) as process, pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.2)
        assert len(workspace.api.case_requests) == asked

    def test_killed_at_any_moment_the_story_is_told_whole_and_at_most_the_last_alert_twice(
        self, workspace: ApiWorkspace
    ) -> None:
        chance = random.Random(7)  # noqa: S311
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
                    process.wait(chance.uniform(0.5, 2.0))
                kills += 1
            workspace.check()
        told = Counter(message["title"] for message in workspace.phone.messages)
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
        assert set(told) == {alert.title for alert in alerts}
        assert sum(told.values()) - len(alerts) <= kills


def next_read(workspace: ApiWorkspace) -> object:
    with workspace.app() as app:
        return app.store.accounts.all().get("family", (None, None))[0]
