"""Promise 2: after a kill at any statement of a sign-in, a password is not submitted again without need."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.webhook_workspace import WebhookWorkspace, page_account, webhook_workspace
from tests.sweep.killed_command import KILLED_STATUS
from tests.sweep.test_sweep import MAX_STATEMENTS, NUMBER, run_command
from watcher.clock import SystemClock
from watcher.practice import Account, PracticePortal


@pytest.fixture
def portal() -> Iterator[PracticePortal]:
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal:
        portal.cases.add(NUMBER, form="I-485").set_status("Case Was Received", in_history=True)
        yield portal


@pytest.fixture
def workspace(portal: PracticePortal, tmp_path: Path) -> Iterator[WebhookWorkspace]:
    with webhook_workspace(tmp_path, page_account(portal)) as workspace:
        yield workspace


def submissions(portal: PracticePortal) -> int:
    return sum((request.method, request.path) == ("POST", "/login") for request in portal.requests)


def saved_session(workspace: WebhookWorkspace) -> bytes | None:
    with workspace.app() as app:
        session = app.sessions.of("family")
        assert session.fault() is None, "a session half-written"
        return session.load()


@pytest.mark.timeout(600)
def test_a_kill_during_a_sign_in_causes_no_second_submission(
    workspace: WebhookWorkspace, portal: PracticePortal
) -> None:
    workspace.check()
    saved_state = workspace.folder / "saved"
    with workspace.app() as app:
        app.sessions.of("family").delete()
    shutil.copytree(workspace.state, saved_state)
    for step in range(1, MAX_STATEMENTS):
        shutil.rmtree(workspace.state)
        shutil.copytree(saved_state, workspace.state)
        portal.desk.revoke_sessions()
        portal.forget_requests()
        status = run_command(workspace, "check", kill_before=step)
        submitted, saved = submissions(portal), saved_session(workspace) is not None
        assert submitted <= 1
        second_status = run_command(workspace, "check")
        assert submissions(portal) <= 1, f"statement {step}"
        assert second_status == 0 or not saved, f"statement {step}: the session that was saved serves"
        if status != KILLED_STATUS:
            return
    pytest.fail(f"the sign-in had more than {MAX_STATEMENTS} statements")
