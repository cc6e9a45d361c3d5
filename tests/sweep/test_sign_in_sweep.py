"""Promise 2 under the sweep: killed at any moment of a sign-in, a password is not submitted again without need."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.webhook_workspace import WebhookWorkspace, page_account, webhook_workspace
from tests.sweep.mortal import DEATH
from tests.sweep.test_sweep import NUMBER, TOO_MANY, live
from watcher.clock import SystemClock
from watcher.practice import Account, PracticePortal
from watcher.sign_in.session_files import SessionFiles


@pytest.fixture
def portal() -> Iterator[PracticePortal]:
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal:
        portal.cases.add(NUMBER, form="I-485").set_status("Case Was Received", in_history=True)
        yield portal


@pytest.fixture
def home(portal: PracticePortal, tmp_path: Path) -> Iterator[WebhookWorkspace]:
    with webhook_workspace(tmp_path, page_account(portal)) as home:
        yield home


def submissions(portal: PracticePortal) -> int:
    return sum((request.method, request.path) == ("POST", "/login") for request in portal.requests)


def kept_session(home: WebhookWorkspace) -> bytes | None:
    return SessionFiles(home.state / "sessions").of("family").load()


@pytest.mark.timeout(600)
def test_a_kill_in_a_sign_in_costs_no_second_submission(home: WebhookWorkspace, portal: PracticePortal) -> None:
    session = home.state / "sessions" / "family.session"
    home.check()
    kept = home.folder / "kept"
    session.unlink()
    shutil.copytree(home.state, kept)
    for step in range(1, TOO_MANY):
        shutil.rmtree(home.state)
        shutil.copytree(kept, home.state)
        portal.desk.revoke_sessions()
        portal.forget_requests()
        ended = live(home, "check", die_before=step)
        submitted, saved = submissions(portal), session.exists()
        assert submitted <= 1
        assert not saved or kept_session(home) is not None, f"statement {step}: a session half-written"
        again = live(home, "check")
        assert submissions(portal) <= 1, f"statement {step}"
        assert again == 0 or not saved, f"statement {step}: the session that was saved serves"
        if ended != DEATH:
            return
    pytest.fail(f"the sign-in had more than {TOO_MANY} statements")
