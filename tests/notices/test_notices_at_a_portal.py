"""From a portal that offers a letter to the phone that receives it, through the ordinary read and the real Apprise."""

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
class Watch:
    """A case at the practice portal, and a phone that wants letters."""

    app: App
    clock: FakeClock
    portal: PracticePortal
    phone: Webhook

    def later(self, span: timedelta = timedelta(hours=4)) -> None:
        self.clock.current += span

    def read(self) -> ReadOutcome:
        self.later()
        return self.app.poll("family").outcome

    def deliver(self) -> list[dict[str, Any]]:
        """What the phone receives now."""
        before = len(self.phone.messages)
        self.app.outbox_worker().deliver_due()
        return self.phone.messages[before:]

    def saved(self) -> list[Path]:
        return [self.app.settings.state_dir / kept.saved_as for kept in self.app.store.notices() if kept.saved_as]


@contextmanager
def watching(folder: Path, channel: str = "attach_notices = true", account: str = "") -> Iterator[Watch]:
    """Already watching: the baseline has been read."""
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
            watch = Watch(app, clock, portal, phone)
            assert watch.read() is ReadOutcome.OK
            yield watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watching(tmp_path) as made:
        yield made


def attached(message: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(each["filename"], base64.b64decode(each["base64"])) for each in message["attachments"]]


def test_a_new_letter_arrives_with_its_alert_and_is_asked_for_once(watch: Watch) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    assert watch.read() is ReadOutcome.OK
    (message,) = watch.deliver()
    (file,) = watch.saved()
    assert "New document" in message["title"]
    assert attached(message) == [(file.name, file.read_bytes())]
    assert "could not be sent along" not in message["message"]
    (kept,) = watch.app.store.notices()
    assert kept.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    watch.read()
    assert sum(request.path.startswith("/notices/") for request in watch.portal.requests) == 1


def test_letters_of_the_first_read_are_kept_too(tmp_path: Path) -> None:
    with watching(tmp_path) as watch:
        watch.portal.cases.add("EAC9999000002").add_notice("Older letter")
        watch.read()
        assert [file.parent.name for file in watch.saved()] == ["EAC9999000002"]


def test_an_alert_that_is_due_while_its_letter_is_under_way_waits_a_moment_for_it(watch: Watch) -> None:
    """The courier of another process comes between the record and the download."""
    watch.portal.cases[NUMBER].add_notice(TITLE)
    told: list[dict[str, Any]] = []
    seen = watch.portal.faults.faults_for

    def meet(page: Any, path: str) -> Any:
        if path.startswith("/notices/"):
            told.extend(watch.deliver())
        return seen(page, path)

    watch.portal.faults.faults_for = meet  # type: ignore[method-assign]  # the portal's own switchboard, not our code
    watch.read()
    assert told == []
    assert watch.deliver() == []
    watch.later(timedelta(seconds=6))
    (message,) = watch.deliver()
    assert attached(message)


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.SERVER_ERROR, Fault.CUT_OFF])
def test_an_alert_does_not_wait_for_ever_and_says_that_the_letter_is_lacking(watch: Watch, fault: Fault) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    watch.portal.faults.throw(fault, path="/notices/*")
    assert watch.read() is ReadOutcome.OK
    first = watch.deliver()
    watch.later(MAX_WAIT)
    (message,) = first + watch.deliver()
    assert message["attachments"] == []
    assert "could not be sent along" in message["message"]
    watch.portal.faults.clear()
    watch.read()
    assert len(watch.saved()) == 1
    assert watch.deliver() == []


@pytest.mark.parametrize(
    "answer",
    [
        Response(body=b"<html><body>Not here</body></html>"),
        Response(body=b"%PDF-1.4 cut", content_type="application/pdf"),
        Response(body=b"", content_type="application/pdf"),
        Response(body=b"no", status=404, content_type="text/plain"),
    ],
)
def test_what_comes_in_place_of_a_letter_is_not_kept_and_the_read_is_good(watch: Watch, answer: Response) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    watch.portal.faults.throw(Fault.VERBATIM, path="/notices/*", answer=answer)
    assert watch.read() is ReadOutcome.OK
    (message,) = watch.deliver()
    assert "could not be sent along" in message["message"]
    assert watch.saved() == []
    (kept,) = watch.app.store.notices()
    assert kept.attempts == 1


def test_a_session_that_ends_at_the_letter_is_not_signed_in_again_for_it(watch: Watch) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    watch.portal.faults.throw(Fault.SIGN_IN_PAGE, path="/notices/*", times=1)
    before = sum(request.path == "/login" and request.method == "POST" for request in watch.portal.requests)
    assert watch.read() is ReadOutcome.OK
    assert watch.saved() == []
    watch.read()
    assert len(watch.saved()) == 1
    after = sum(request.path == "/login" and request.method == "POST" for request in watch.portal.requests)
    assert after <= before + 1


def test_a_wait_that_the_portal_asks_for_at_a_letter_is_kept(watch: Watch) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    watch.portal.faults.throw(Fault.TOO_MANY_REQUESTS, path="/notices/*", retry_after=timedelta(hours=6), times=1)
    assert watch.read() is ReadOutcome.PARTIAL
    watch.portal.forget_requests()
    assert watch.read() is ReadOutcome.FAILED
    assert watch.portal.requests == ()
    watch.later()
    assert watch.read() is ReadOutcome.OK
    assert len(watch.saved()) == 1


def test_letters_that_a_service_does_not_take_are_left_out_and_the_alert_arrives(watch: Watch) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    watch.read()
    watch.phone.status = 413
    for _ in range(MAX_ATTEMPTS):
        (message,) = watch.deliver()
        assert attached(message)
        watch.later(timedelta(minutes=5))
    watch.phone.status = 200
    (message,) = watch.deliver()
    assert message["attachments"] == []
    assert "could not be sent along" in message["message"]
    (alert,) = watch.app.store.outbox.list()
    assert alert.state is AlertState.SENT


def test_a_letter_that_is_gone_from_disk_is_said_to_be_lacking(watch: Watch) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    watch.read()
    watch.saved()[0].unlink()
    (message,) = watch.deliver()
    assert message["attachments"] == []
    assert "could not be sent along" in message["message"]


@pytest.mark.parametrize("channel", ["attach_notices = false", 'attach_notices = true\nprivacy = "minimal"'])
def test_a_channel_that_wants_no_letters_gets_none_and_waits_for_none(tmp_path: Path, channel: str) -> None:
    with watching(tmp_path, channel) as watch:
        watch.portal.cases[NUMBER].add_notice(TITLE)
        watch.read()
        (message,) = watch.deliver()
        assert message["attachments"] == []
        assert "could not be sent along" not in json.dumps(message)


def test_with_save_notices_off_nothing_is_downloaded_and_nothing_waited_for(tmp_path: Path) -> None:
    with watching(tmp_path, account="save_notices = false\n") as watch:
        watch.portal.cases[NUMBER].add_notice(TITLE)
        watch.read()
        (message,) = watch.deliver()
        assert "could not be sent along" in message["message"]
        assert watch.saved() == []
        assert not any(request.path.startswith("/notices/") for request in watch.portal.requests)


def test_a_kill_in_mid_download_loses_no_alert_tells_none_twice_and_leaves_nothing(watch: Watch) -> None:
    watch.portal.cases[NUMBER].add_notice(TITLE)
    watch.portal.faults.throw(Fault.SLOW, path="/notices/*", delay=timedelta(seconds=30), times=1)
    config = watch.app.settings.state_dir.parent / "watcher.toml"
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    check = subprocess.Popen(
        [sys.executable, "-m", "watcher", "check", "--config", str(config)],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not watch.app.store.outbox.counts()[AlertState.QUEUED] and time.monotonic() < until:
        time.sleep(0.02)
    check.kill()
    check.wait()

    watch.clock.current = datetime.now(UTC)
    assert watch.deliver() == []
    assert watch.read() is ReadOutcome.OK
    (message,) = watch.deliver()
    assert attached(message)
    assert watch.deliver() == []
    (file,) = watch.saved()
    assert [each.name for each in file.parent.iterdir()] == [file.name]
