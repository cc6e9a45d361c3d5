"""The daemon continues to deliver after an error, and does not delay checks."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Timer

from pydantic import SecretStr

from tests.cli.api_workspace import api_workspace
from tests.doubles.notifier import AcceptsAttachments, FakeNotifier
from tests.store.temporary_store import a_draft, record_alerts
from tests.support.waiting import eventually
from tests.support.webhook_workspace import webhook_workspace
from watcher.app import open_app
from watcher.context.device_channels import save_target
from watcher.context.opening import read_settings
from watcher.daemon.daemon import Daemon
from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.model.account_health import AccountHealth
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind, Severity
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import new_token
from watcher.settings.device_channels import PushTarget

MANUAL = '[accounts.embassy]\nportal = "manual"\nsite = "ceac"\ncases = ["AA00EXAMPL"]\nevery = "1d"\n'


@dataclass(slots=True)
class FailingOnce(AcceptsAttachments):
    """A notifier that raises an unexpected error the first time."""

    failed: Event = field(default_factory=Event)
    delivered: Event = field(default_factory=Event)

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
        traits: Traits = NO_TRAITS,
    ) -> None:
        assert url, title
        assert isinstance(traits, Traits)
        assert body, html
        assert short
        assert not attachments
        assert not accepted_by
        if not self.failed.is_set():
            self.failed.set()
            raise ZeroDivisionError("a fault of the program")
        self.delivered.set()


def test_delivery_continues_after_an_unexpected_error(tmp_path: Path) -> None:
    phone = FailingOnce()
    with (
        webhook_workspace(tmp_path, MANUAL) as workspace,
        open_app(read_settings(workspace.config, {}), notifier=phone) as app,
    ):
        daemon = Daemon(app)
        daemon.start()
        try:
            assert phone.failed.wait(20)
            for _ in range(400):
                daemon.reconfigure(app.settings)  # wakes the delivery thread before its usual pause is over
                if phone.delivered.wait(0.05):
                    break
            assert phone.delivered.is_set()
        finally:
            daemon.stop()


def test_check_is_not_delayed_by_the_blindness_check(tmp_path: Path) -> None:
    with api_workspace(tmp_path) as workspace, workspace.app() as app:
        daemon = Daemon(app)
        with app.store.locks.acquire("account family"):
            daemon.start()
            time.sleep(0.5)  # the check is due and finds the lock held
        try:
            assert eventually(lambda: workspace.api.case_requests, within=10)
        finally:
            daemon.stop()


def test_reminder_that_is_due_before_the_next_regular_look_is_recorded_at_its_moment(tmp_path: Path) -> None:
    with (
        webhook_workspace(tmp_path, MANUAL) as workspace,
        open_app(read_settings(workspace.config, {}), notifier=FakeNotifier()) as app,
    ):
        daemon = Daemon(app)
        daemon.start()
        try:
            now = app.clock.now()
            assert eventually(lambda: (daemon.next_needed() or now) > now + timedelta(hours=1))
            seen_at = app.clock.now() - app.settings.schedule.blind_after + timedelta(seconds=1)
            app.store.accounts.set_health("embassy", AccountHealth(first_seen_at=seen_at, failing_since=seen_at))
            due = daemon.next_needed()
            assert due is not None
            assert due < seen_at + app.settings.schedule.blind_after + timedelta(seconds=2)
            assert eventually(lambda: app.store.history(kinds={ChangeKind.BLIND}), within=10)
        finally:
            daemon.stop()


def test_device_that_subscribes_meanwhile_gets_the_next_alert(tmp_path: Path) -> None:
    phone = FakeNotifier()
    with (
        webhook_workspace(tmp_path, MANUAL) as workspace,
        open_app(read_settings(workspace.config, {}), notifier=phone) as app,
    ):
        daemon = Daemon(app)
        daemon.start()
        try:
            assert eventually(lambda: phone.delivered, within=10)
            now = app.clock.now()
            device = app.store.web.add(KeyKind.DEVICE, new_token(), now=now, name="iPhone")
            target = PushTarget(name="iPhone", endpoint="https://push.example.com/1", p256dh="a", auth="b")
            save_target(app.store, app.settings, device, target, now=now)
            seen_at = now - app.settings.schedule.blind_after - timedelta(seconds=1)
            app.store.accounts.set_health("embassy", AccountHealth(first_seen_at=seen_at, failing_since=seen_at))
            daemon._record_reminders()
            assert eventually(lambda: any(url.startswith("vapid:") for url, _ in phone.delivered), within=10)
        finally:
            daemon.stop()


def test_urgent_alert_reaches_a_channel_within_two_seconds_while_another_hangs(tmp_path: Path) -> None:
    notifier = FakeNotifier(hanging={"json://slow": Event()})
    channels = "".join(
        f'[channels.{name}]\nurl = "json://{name}"\nmin_severity = "urgent"\n' for name in ("slow", "fast")
    )
    with (
        webhook_workspace(tmp_path, MANUAL + channels) as workspace,
        open_app(read_settings(workspace.config, {}), notifier=notifier) as app,
    ):
        daemon = Daemon(app)
        daemon.start()
        try:
            urgent = Severity.URGENT
            record_alerts(app.store, *(a_draft(f"{n}", channel="slow", severity=urgent) for n in range(3)))
            daemon.reconfigure(app.settings)
            assert eventually(lambda: ("json://slow", "0") in notifier.attempts, within=10)
            record_alerts(app.store, a_draft("now", channel="fast", severity=urgent))
            daemon._wake.set()
            assert eventually(lambda: notifier.titles("json://fast") == ["now"], within=2)
            Timer(0.3, notifier.hanging["json://slow"].set).start()
        finally:
            daemon.stop()
        assert notifier.titles("json://slow") == ["0"], "the message in flight is finished, and no other is started"
        states = {alert.title: alert.state for alert in app.store.outbox.list() if alert.channel == "slow"}
        assert states == {"0": AlertState.SENT, "1": AlertState.QUEUED, "2": AlertState.QUEUED}
