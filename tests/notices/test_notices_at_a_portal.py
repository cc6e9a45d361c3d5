"""Letters from the practice portal to a phone, through an ordinary check and the real Apprise."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.portals.context import FakeClock
from tests.servers.webhook import Webhook, webhook
from tests.support.webhook_workspace import page_account
from tests.support.workspace import REPOSITORY
from watcher.app import App, open_app
from watcher.clock import SystemClock
from watcher.context.opening import read_settings
from watcher.delivery.attachments import MAX_ATTEMPTS, MAX_WAIT
from watcher.model.account_health import ReadOutcome
from watcher.model.alert import AlertState
from watcher.practice import Account, Fault, PracticePortal
from watcher.practice.site.exchange import Response

NUMBER = "EAC9999000001"
TITLE = "Request for Evidence"


@dataclass
class Workspace:
    """A case at the practice portal, and a phone that receives letters."""

    app: App
    clock: FakeClock
    portal: PracticePortal
    phone: Webhook

    def later(self, span: timedelta = timedelta(hours=4)) -> None:
        self.clock.current += span

    def check(self) -> ReadOutcome:
        self.later()
        return self.app.poll("family").outcome

    def deliver(self) -> list[dict[str, Any]]:
        """Deliver the due alerts and return what the phone received."""
        before = len(self.phone.messages)
        self.app.outbox_worker().deliver_due()
        return self.phone.messages[before:]

    def saved(self) -> list[Path]:
        return [self.app.settings.state_dir / notice.saved_as for notice in self.app.store.notices() if notice.saved_as]


@contextmanager
def open_workspace(folder: Path, channel: str = "attach_notices = true", account: str = "") -> Iterator[Workspace]:
    """Yield a workspace after its first check and the alert about what is watched."""
    clock = FakeClock()
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal, webhook() as phone:
        portal.cases.add(NUMBER, form="I-485")
        file = folder / "watcher.toml"
        file.write_text(
            f'timezone = "America/New_York"\nstate_dir = "{folder}/state"\n{page_account(portal)}{account}\n'
            f'[channels.phone]\nurl = "json://{phone.host}/"\nmin_severity = "important"\n{channel}\n'
        )
        file.chmod(0o600)
        with open_app(read_settings(file, {}), clock=clock) as app:
            workspace = Workspace(app, clock, portal, phone)
            assert workspace.check() is ReadOutcome.OK
            workspace.deliver()
            yield workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as workspace:
        yield workspace


def attached(message: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(entry["filename"], base64.b64decode(entry["base64"])) for entry in message["attachments"]]


def test_a_new_letter_is_attached_to_its_alert_and_downloaded_once(workspace: Workspace) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    assert workspace.check() is ReadOutcome.OK
    (message,) = workspace.deliver()
    (file,) = workspace.saved()
    assert "New document" in message["title"]
    assert attached(message) == [(file.name, file.read_bytes())]
    assert "could not be attached" not in message["message"]
    (notice,) = workspace.app.store.notices()
    assert notice.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    workspace.check()
    assert sum(request.path.startswith("/notices/") for request in workspace.portal.requests) == 1


def test_letters_of_the_first_check_are_saved_too(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        workspace.portal.cases.add("EAC9999000002").add_notice("Older letter")
        workspace.check()
        assert [file.parent.name for file in workspace.saved()] == ["EAC9999000002"]


def test_an_alert_waits_for_the_download_of_its_letter(workspace: Workspace) -> None:
    """Another process delivers between the record and the download."""
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    delivered: list[dict[str, Any]] = []
    original = workspace.portal.faults.faults_for

    def deliver_meanwhile(page: Any, path: str) -> Any:
        if path.startswith("/notices/"):
            delivered.extend(workspace.deliver())
        return original(page, path)

    workspace.portal.faults.faults_for = deliver_meanwhile  # type: ignore[method-assign]  # the practice portal's hook
    workspace.check()
    assert delivered == []
    assert workspace.deliver() == []
    workspace.later(timedelta(seconds=6))
    (message,) = workspace.deliver()
    assert attached(message)


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.SERVER_ERROR, Fault.CUT_OFF])
def test_an_alert_does_not_wait_forever_and_says_that_the_letter_is_missing(workspace: Workspace, fault: Fault) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    workspace.portal.faults.throw(fault, path="/notices/*")
    assert workspace.check() is ReadOutcome.OK
    first = workspace.deliver()
    workspace.later(MAX_WAIT)
    (message,) = first + workspace.deliver()
    assert message["attachments"] == []
    assert "could not be attached" in message["message"]
    workspace.portal.faults.clear()
    workspace.check()
    assert len(workspace.saved()) == 1
    assert workspace.deliver() == []


@pytest.mark.parametrize(
    "answer",
    [
        Response(body=b"<html><body>Not here</body></html>"),
        Response(body=b"%PDF-1.4 cut", content_type="application/pdf"),
        Response(body=b"", content_type="application/pdf"),
        Response(body=b"no", status=404, content_type="text/plain"),
    ],
)
def test_an_invalid_letter_is_not_saved_and_does_not_fail_the_check(workspace: Workspace, answer: Response) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    workspace.portal.faults.throw(Fault.VERBATIM, path="/notices/*", answer=answer)
    assert workspace.check() is ReadOutcome.OK
    (message,) = workspace.deliver()
    assert "could not be attached" in message["message"]
    assert workspace.saved() == []
    (notice,) = workspace.app.store.notices()
    assert notice.attempts == 1


def test_a_session_that_ends_at_a_letter_causes_no_second_sign_in(workspace: Workspace) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    workspace.portal.faults.throw(Fault.SIGN_IN_PAGE, path="/notices/*", times=1)
    before = sum(request.path == "/login" and request.method == "POST" for request in workspace.portal.requests)
    assert workspace.check() is ReadOutcome.OK
    assert workspace.saved() == []
    workspace.check()
    assert len(workspace.saved()) == 1
    after = sum(request.path == "/login" and request.method == "POST" for request in workspace.portal.requests)
    assert after <= before + 1


def test_a_wait_that_the_portal_asks_for_at_a_letter_applies_to_the_account(workspace: Workspace) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    workspace.portal.faults.throw(Fault.TOO_MANY_REQUESTS, path="/notices/*", retry_after=timedelta(hours=6), times=1)
    assert workspace.check() is ReadOutcome.PARTIAL
    workspace.portal.forget_requests()
    assert workspace.check() is ReadOutcome.FAILED
    assert workspace.portal.requests == ()
    workspace.later()
    assert workspace.check() is ReadOutcome.OK
    assert len(workspace.saved()) == 1


def test_an_alert_is_delivered_without_attachments_that_the_service_refuses(workspace: Workspace) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    workspace.check()
    workspace.phone.status = 413
    for _ in range(MAX_ATTEMPTS):
        (message,) = workspace.deliver()
        assert attached(message)
        workspace.later(timedelta(minutes=5))
    workspace.phone.status = 200
    (message,) = workspace.deliver()
    assert message["attachments"] == []
    assert "could not be attached" in message["message"]
    alert, _first_contact = workspace.app.store.outbox.list()
    assert alert.state is AlertState.SENT


def test_an_alert_says_that_a_deleted_letter_is_missing(workspace: Workspace) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    workspace.check()
    workspace.saved()[0].unlink()
    (message,) = workspace.deliver()
    assert message["attachments"] == []
    assert "could not be attached" in message["message"]


@pytest.mark.parametrize("channel", ["attach_notices = false", 'attach_notices = true\nprivacy = "minimal"'])
def test_a_channel_without_attachments_does_not_wait_for_letters(tmp_path: Path, channel: str) -> None:
    with open_workspace(tmp_path, channel) as workspace:
        workspace.portal.cases[NUMBER].add_notice(TITLE)
        workspace.check()
        (message,) = workspace.deliver()
        assert message["attachments"] == []
        assert "could not be attached" not in json.dumps(message)


def test_without_save_notices_nothing_is_downloaded_or_waited_for(tmp_path: Path) -> None:
    with open_workspace(tmp_path, account="save_notices = false\n") as workspace:
        workspace.portal.cases[NUMBER].add_notice(TITLE)
        workspace.check()
        (message,) = workspace.deliver()
        assert "could not be attached" in message["message"]
        assert workspace.saved() == []
        assert not any(request.path.startswith("/notices/") for request in workspace.portal.requests)


def test_a_kill_during_a_download_neither_loses_nor_repeats_an_alert(workspace: Workspace) -> None:
    workspace.portal.cases[NUMBER].add_notice(TITLE)
    workspace.portal.faults.throw(Fault.SLOW, path="/notices/*", delay=timedelta(seconds=30), times=1)
    config = workspace.app.settings.state_dir.parent / "watcher.toml"
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    check = subprocess.Popen(
        [sys.executable, "-m", "watcher", "check", "--config", str(config)],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not workspace.app.store.outbox.counts()[AlertState.QUEUED] and time.monotonic() < deadline:
        time.sleep(0.02)
    check.kill()
    check.wait()

    workspace.clock.current = datetime.now(UTC)
    assert workspace.deliver() == []
    assert workspace.check() is ReadOutcome.OK
    (message,) = workspace.deliver()
    assert attached(message)
    assert workspace.deliver() == []
    (file,) = workspace.saved()
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]
