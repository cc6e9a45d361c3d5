"""Alerts to devices by Web Push, end to end: through Apprise, over HTTPS, to a service that decrypts what arrives."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from tests.delivery.test_alert_links import PAGE, linked, token_in
from tests.doubles.push_service import PushBrowser, PushService, push_service
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, TemporaryStore, record_alerts, temporary_store
from watcher.alerts.digest import MAX_CHAT_BYTES
from watcher.context.device_channels import push_devices, save_target, with_devices
from watcher.context.opening import saved_values
from watcher.context.push_key import public_push_key
from watcher.delivery.apprise_notifier import AppriseNotifier, check_url
from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.errors import DeliveryFailed
from watcher.model.alert import AlertState
from watcher.model.change import Severity
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import new_token
from watcher.settings import Settings, WebSettings
from watcher.settings.device_channels import DeviceChannel, PushTarget, push_key_file


@pytest.fixture
def push(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    with push_service(tmp_path) as service:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(service.ca_file))
        yield service


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TemporaryStore]:
    with temporary_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, timezone=ZoneInfo("UTC"), web=WebSettings(url=PAGE))


def subscribed(push: PushService, settings: Settings) -> tuple[PushBrowser, PushTarget]:
    """Return a browser that is subscribed with the program's key, and where it receives alerts."""
    browser = push.subscribe(public_push_key(push_key_file(settings)))
    keys = browser.subscription["keys"]
    return browser, PushTarget(name="phone", endpoint=browser.endpoint, p256dh=keys["p256dh"], auth=keys["auth"])


def channel(target: PushTarget, settings: Settings) -> DeviceChannel:
    return target.channel(None, settings)


def send(device: DeviceChannel, title: str = "News", body: str = "It moved.", traits: Traits = NO_TRAITS) -> None:
    AppriseNotifier().send(device.url, title=title, body=body, html=body, short=title, traits=traits)


def add_device(database: TemporaryStore, settings: Settings, target: PushTarget, *, person: str | None = None) -> None:
    device = database.store.web.add(KeyKind.DEVICE, new_token(), now=NOW, person=person, name="Safari on iPhone")
    save_target(database.store, settings, device, target, now=NOW)


def deliver(database: TemporaryStore, settings: Settings) -> None:
    settings = with_devices(settings, database.store)
    OutboxWorker(database.store, AppriseNotifier(), HandClock(NOW), settings=settings).deliver_due()


def test_device_decrypts_what_is_pushed(push: PushService, settings: Settings) -> None:
    browser, target = subscribed(push, settings)
    link = f"{PAGE}/a/token"
    send(
        channel(target, settings), "María: “Approved”", "Línea 1\n\n- 2\n", Traits(severity=Severity.URGENT, link=link)
    )
    (pushed,) = browser.received
    expected = {"title": "María: “Approved”", "body": "Línea 1\n\n- 2\n", "link": link, "urgent": True}
    assert pushed.alert == expected
    assert pushed.sender == "mailto:case-watcher@watcher.example.org"
    assert pushed.headers["urgency"] == "high"
    assert int(pushed.headers["ttl"]) == timedelta(days=7).total_seconds()
    send(channel(target, settings))
    assert (browser.received[-1].alert["urgent"], browser.received[-1].alert["link"]) == (False, "")
    assert "urgency" not in browser.received[-1].headers


@pytest.mark.parametrize("text", ["a", "é", "\N{GRINNING FACE}", '"\\\n'])
def test_long_message_is_cut_to_what_services_accept(push: PushService, settings: Settings, text: str) -> None:
    browser, target = subscribed(push, settings)
    send(channel(target, settings), body=text * MAX_CHAT_BYTES, traits=Traits(link=f"{PAGE}/a/token"))
    (pushed,) = browser.received
    assert 3_000 < pushed.bytes <= 4_096
    assert pushed.alert["body"].endswith("…")
    assert pushed.alert["link"] == f"{PAGE}/a/token"


def test_certificate_of_the_service_is_verified(
    push: PushService, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, target = subscribed(push, settings)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(DeliveryFailed) as failed:
        send(channel(target, settings))
    assert not failed.value.permanent
    assert browser.received == []


@pytest.mark.parametrize("status", [404, 410])
def test_subscription_that_has_ended_is_told_from_a_failure(push: PushService, settings: Settings, status: int) -> None:
    _browser, target = subscribed(push, settings)
    push.status = status
    with pytest.raises(DeliveryFailed) as failed:
        send(channel(target, settings))
    assert (failed.value.gone, failed.value.permanent) == (True, True)
    push.status = 500
    with pytest.raises(DeliveryFailed) as failed:
        send(channel(target, settings))
    assert (failed.value.gone, failed.value.permanent) == (False, False)


def test_failure_shows_nothing_of_the_subscription(push: PushService, settings: Settings) -> None:
    _browser, target = subscribed(push, settings)
    push.status = 500
    with pytest.raises(DeliveryFailed) as failed:
        send(channel(target, settings))
    assert "127.0.0.1" not in str(failed.value)
    assert not any(secret in str(failed.value) for secret in target.secrets)


def test_key_is_made_once_and_only_its_owner_can_read_it(settings: Settings) -> None:
    file = push_key_file(settings)
    key = public_push_key(file)
    assert public_push_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) == 87


def test_channel_of_a_device_is_valid(push: PushService, settings: Settings) -> None:
    _browser, target = subscribed(push, settings)
    assert check_url(channel(target, settings).url) is None


def test_alert_reaches_a_device_with_its_link(push: PushService, database: TemporaryStore, settings: Settings) -> None:
    browser, target = subscribed(push, settings)
    add_device(database, settings, target)
    record_alerts(database.store, linked())
    deliver(database, settings)
    (pushed,) = browser.received
    token = token_in(pushed.alert["link"])
    assert pushed.alert["body"] == f"It moved.\nDetails: {PAGE}/a/{token}"
    assert database.store.web.alert_of_link(token) == (1, NOW)


def test_subscription_is_stored_encrypted(push: PushService, database: TemporaryStore, settings: Settings) -> None:
    _browser, target = subscribed(push, settings)
    add_device(database, settings, target)
    (device,) = push_devices(database.store, settings)
    assert device.target == target
    stored = str(database.rows("SELECT content FROM push_subscription"))
    assert not any(secret in stored for secret in target.secrets)
    assert target.endpoint not in repr(with_devices(settings, database.store))


def test_device_that_is_gone_is_taken_out_and_named(
    push: PushService, database: TemporaryStore, settings: Settings
) -> None:
    browser, target = subscribed(push, settings)
    add_device(database, settings, target)
    push.end(browser)
    record_alerts(database.store, linked())
    deliver(database, settings)
    (alert,) = database.store.outbox.list()
    assert alert.state is AlertState.FAILED
    assert alert.last_error is not None
    assert "turn them on again" in alert.last_error
    (device,) = push_devices(database.store, settings)
    assert device.target == replace(target, ended=True, endpoint="", p256dh="", auth="")
    assert with_devices(settings, database.store) is settings


def test_settings_follow_the_devices(push: PushService, database: TemporaryStore, settings: Settings) -> None:
    _browser, target = subscribed(push, settings)
    assert with_devices(settings, database.store) is settings
    add_device(database, settings, target, person="Maria")
    both = with_devices(settings, database.store)
    assert both.channels["phone"].people == {"Maria"}
    assert with_devices(both, database.store) is both
    (device,) = push_devices(database.store, settings)
    database.store.web.remove(device.subscription.device.id)
    assert with_devices(both, database.store) == settings


def test_channel_of_the_configuration_has_precedence(
    push: PushService, database: TemporaryStore, settings: Settings
) -> None:
    _browser, target = subscribed(push, settings)
    configured = channel(target, settings).model_dump()
    settings = Settings.model_validate({**settings.model_dump(), "channels": {"phone": configured}})
    add_device(database, settings, target)
    assert with_devices(settings, database.store) is settings


def test_device_that_is_not_used_for_long_still_gets_alerts(
    push: PushService, database: TemporaryStore, settings: Settings
) -> None:
    _browser, target = subscribed(push, settings)
    add_device(database, settings, target)
    database.store.web.add(KeyKind.DEVICE, new_token(), now=NOW + timedelta(days=400), name="another")
    assert "phone" in with_devices(settings, database.store).channels


def test_subscription_is_encrypted_again_with_a_new_key(
    push: PushService, database: TemporaryStore, settings: Settings
) -> None:
    _browser, target = subscribed(push, settings)
    add_device(database, settings, target)
    both = settings.model_copy(update={"state_key": SecretStr("a new key of the user")})
    saved_values(database.store, both).reseal()
    (settings.state_dir / "state_key").unlink()
    (device,) = push_devices(database.store, both)
    assert device.target == target


def test_machine_without_the_key_leaves_the_device_out(
    push: PushService, database: TemporaryStore, settings: Settings
) -> None:
    _browser, target = subscribed(push, settings)
    add_device(database, settings, target)
    (settings.state_dir / "state_key").unlink()
    (device,) = push_devices(database.store, settings)
    assert device.target is None
    assert device.name == "Safari on iPhone"
    assert with_devices(settings, database.store) is settings
