"""Promise 2: after a kill at any statement of a sign-in, a password is not submitted again without need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.webhook_workspace import WebhookWorkspace, page_account, webhook_workspace
from tests.sweep.moments import watch
from tests.sweep.test_sweep import NUMBER, run_command
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


def sign_out(portal: PracticePortal) -> None:
    """Make the portal forget the session and the requests so far."""
    portal.desk.revoke_sessions()
    portal.forget_requests()


def saved_session(workspace: WebhookWorkspace) -> bytes | None:
    with workspace.app() as app:
        session = app.sessions.of("family")
        assert session.fault() is None, "a session half-written"
        return session.load()


def test_a_kill_during_a_sign_in_causes_no_second_submission(
    workspace: WebhookWorkspace, portal: PracticePortal
) -> None:
    workspace.check()
    with workspace.app() as app:
        app.sessions.of("family").delete()
    sign_out(portal)
    undisturbed = watch(workspace, "check", see=lambda: submissions(portal))
    assert undisturbed.status == 0
    first = undisturbed.moments[0]
    assert {moment.seen for moment in undisturbed.moments} == {0, 1}, "a kill before and one after the submission"
    for moment in undisturbed.moments:
        first.restore(workspace.state)
        sign_out(portal)
        run_command(workspace, "check", kill_before=moment.statement)
        submitted, saved = submissions(portal), saved_session(workspace) is not None
        assert submitted == moment.seen
        second_status = run_command(workspace, "check")
        assert submissions(portal) <= 1, f"statement {moment.statement}"
        assert second_status == 0 or not saved, f"statement {moment.statement}: the session that was saved serves"
