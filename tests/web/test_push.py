"""Alerts on devices: who may subscribe with what, by which rules alerts are sent, and how that ends."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doubles.push_service import PushBrowser, PushService, push_service
from tests.web.visiting import Browser, Site, a_site
from watcher.app import open_app
from watcher.context.device_channels import PushDevice, push_devices, with_devices
from watcher.doctor.devices import check_devices
from watcher.doctor.finding import Verdict
from watcher.model.change import Severity
from watcher.settings import WebSettings

PUBLIC = "https://watcher.example.org"


@pytest.fixture
def push(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    with push_service(tmp_path) as service:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(service.ca_file))
        yield service


def post(browser: Browser, path: str, content: Any) -> httpx.Response:
    """Post JSON as the page's script does."""
    headers = {
        "Origin": "null",
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/json",
        "X-CSRF-Token": browser.csrf("/devices"),
    }
    return browser.client.post(path, content=json.dumps(content), headers=headers)


def subscribe(browser: Browser, push: PushService, **rules: str) -> PushBrowser:
    """Subscribe as the page's script does."""
    subscribed = push.subscribe(post(browser, "/push/key", {}).json()["key"])
    answer = post(browser, "/push", {"subscription": subscribed.subscription, **rules})
    assert answer.json() == {"to": "/devices"}
    return subscribed


def devices(site: Site) -> list[PushDevice]:
    with site.store() as store:
        return push_devices(store, site.settings)


def channels(site: Site) -> dict[str, Any]:
    with site.store() as store:
        return dict(with_devices(site.settings, store).channels)


def test_manifest_and_service_worker_need_no_session(site: Site) -> None:
    browser = site.browser()
    manifest = browser.get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert {"name", "start_url", "scope", "display", "icons"} <= manifest.json().keys()
    for icon in manifest.json()["icons"]:
        assert browser.get(f"/{icon['src']}").headers["content-type"] == icon["type"]
    worker = browser.get("/service-worker.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["x-content-type-options"] == "nosniff"


def test_device_becomes_a_channel_with_the_rules_that_were_chosen(site: Site, push: PushService) -> None:
    browser = site.signed_in()
    subscribe(browser, push, privacy="minimal", min_severity="urgent")
    (channel,) = channels(site).values()
    assert (channel.name, channel.privacy, channel.min_severity) == ("iPhone, Safari", "minimal", Severity.URGENT)
    assert channel.language == "en"
    assert channel.people == frozenset()
    page = browser.get("/devices").text
    assert "This device gets alerts" in page
    assert '<option value="urgent" selected>' in page


def test_device_for_a_person_gets_that_persons_alerts_only(site: Site, push: PushService) -> None:
    subscribe(site.signed_in(person="Maria"), push)
    (channel,) = channels(site).values()
    assert channel.people == {"Maria"}


def test_test_alert_arrives(site: Site, push: PushService) -> None:
    browser = site.signed_in()
    subscribed = subscribe(browser, push)
    assert browser.submit("/devices", "/push/test").headers["location"] == "/devices"
    assert "A test alert was sent to this device." in browser.get("/devices").text
    (pushed,) = subscribed.received
    assert pushed.alert["title"] == "case-watcher: test alert"


def test_rules_can_be_changed(site: Site, push: PushService) -> None:
    browser = site.signed_in()
    subscribe(browser, push)
    browser.submit("/devices", "/push/rules", privacy="full", min_severity="routine")
    (channel,) = channels(site).values()
    assert (channel.privacy, channel.min_severity) == ("full", Severity.ROUTINE)
    browser.submit("/devices", "/push/rules", privacy="everything", min_severity="routine")
    assert channels(site)["iPhone, Safari"].privacy == "full"


def test_device_can_stop_its_alerts(site: Site, push: PushService) -> None:
    browser = site.signed_in()
    subscribe(browser, push)
    (device,) = devices(site)
    browser.submit("/devices", "/push/stop", subscription=str(device.subscription.id))
    assert channels(site) == {}
    assert "Notify this device" in browser.get("/devices").text


def test_signing_out_stops_the_alerts(site: Site, push: PushService) -> None:
    browser = site.signed_in()
    subscribe(browser, push)
    (device,) = devices(site)
    browser.submit("/devices", "/devices/sign-out", device=str(device.subscription.device.id))
    assert channels(site) == {}


def test_two_devices_of_the_same_kind_have_different_names(site: Site, push: PushService) -> None:
    subscribe(site.signed_in(), push)
    subscribe(site.signed_in(), push)
    assert list(channels(site)) == ["iPhone, Safari", "iPhone, Safari 2"]


def test_browser_that_signed_in_again_gets_each_alert_once(site: Site, push: PushService) -> None:
    first, again = site.signed_in(), site.signed_in()
    subscribed = subscribe(first, push)
    post(again, "/push", {"subscription": subscribed.subscription})
    assert len(channels(site)) == 1


def test_device_that_is_gone_says_so_and_can_subscribe_again(site: Site, push: PushService) -> None:
    browser = site.signed_in()
    push.end(subscribe(browser, push, privacy="full"))
    browser.submit("/devices", "/push/test")
    page = browser.get("/devices").text
    assert "this device no longer gets alerts" in page
    assert channels(site) == {}
    subscribe(browser, push)
    assert list(channels(site)) == ["iPhone, Safari"]


def test_doctor_names_devices_and_those_that_are_gone(site: Site, push: PushService) -> None:
    browser = site.signed_in(person="Maria")
    subscribed = subscribe(browser, push)
    with open_app(site.settings) as app:
        assert [(finding.verdict, finding.about) for finding in check_devices(app)] == [
            (Verdict.OK, "channel iPhone, Safari")
        ]
        push.end(subscribed)
        browser.submit("/devices", "/push/test")
        (finding,) = check_devices(app.refreshed())
    assert finding.verdict is Verdict.FAILED
    assert "has ended the notifications" in finding.text


def test_read_only_device_decides_about_itself_only(site: Site, push: PushService) -> None:
    reader = site.signed_in(read_only=True)
    subscribe(reader, push)
    subscribe(site.signed_in(), push)
    mine, other = devices(site)
    assert reader.submit("/devices", "/push/stop", subscription=str(other.subscription.id)).status_code == 403
    assert reader.submit("/devices", "/push/stop", subscription=str(mine.subscription.id)).status_code == 303
    assert len(devices(site)) == 1


def test_device_of_one_person_is_hidden_from_another(site: Site, push: PushService) -> None:
    subscribe(site.signed_in(person="Maria"), push)
    (device,) = devices(site)
    other = site.signed_in(person="Jose")
    assert "Other devices that get alerts" not in other.get("/devices").text
    assert other.submit("/devices", "/push/stop", subscription=str(device.subscription.id)).status_code == 404
    operator = site.signed_in()
    assert "Other devices that get alerts" in operator.get("/devices").text
    assert operator.submit("/devices", "/push/stop", subscription=str(device.subscription.id)).status_code == 303


@pytest.mark.parametrize("path", ["/push", "/push/key", "/push/rules", "/push/test", "/push/stop"])
def test_nothing_is_done_without_a_session_or_the_token_of_the_form(site: Site, path: str) -> None:
    assert site.browser().post(path).status_code == 401
    assert site.signed_in().post(path).status_code == 403
    assert not (site.settings.state_dir / "push_key.pem").exists()


BAD_ENDPOINTS = [
    "http://push.example.com/1",
    "https://10.0.0.1/1",
    "https://[fe80::1]/1",
    "https://router/1",
    "https://router.local/1",
    "https://127.1/1",
    "https://0x7f.1/1",
    "https://192.168.257/1",
    "https://10.0.0.1./1",
    "https://router.localhost/1",
    "https://a.example.com\\.example.com/1",
    "https://user@push.example.com/1",
    "https://push.example.com/" + "a" * 2_000,
    "https://push.example.com/a\nb",
    "ftp://push.example.com/1",
    "https:///1",
    7,
]


@pytest.mark.parametrize("endpoint", BAD_ENDPOINTS)
def test_only_a_public_https_address_is_accepted(site: Site, push: PushService, endpoint: object) -> None:
    browser = site.signed_in()
    keys = push.subscribe().subscription["keys"]
    answer = post(browser, "/push", {"subscription": {"endpoint": endpoint, "keys": keys}})
    assert answer.status_code == 400
    assert devices(site) == []


def test_public_page_accepts_no_address_on_its_own_machine(tmp_path: Path, push: PushService) -> None:
    site = a_site(tmp_path, web=WebSettings(listen="127.0.0.1:8788", url=PUBLIC))
    browser = site.signed_in(PUBLIC)
    subscribed = push.subscribe()
    assert post(browser, "/push", {"subscription": subscribed.subscription}).status_code == 400
    public = {**subscribed.subscription, "endpoint": "https://web.push.apple.com/QGuQyavXutnMH"}
    assert post(browser, "/push", {"subscription": public}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {}},
        {"keys": 3},
        {"keys": {"p256dh": "A" * 87, "auth": "A" * 22}},
        {"keys": {"p256dh": "é", "auth": "A" * 22}},
    ],
)
def test_keys_must_be_those_of_a_browser(site: Site, push: PushService, change: dict[str, object]) -> None:
    browser = site.signed_in()
    subscription = push.subscribe().subscription | change
    assert post(browser, "/push", {"subscription": subscription}).status_code == 400
    assert devices(site) == []


@pytest.mark.parametrize("sent", [[], 3, None, {}, {"subscription": []}])
def test_anything_else_is_refused(site: Site, sent: object) -> None:
    browser = site.signed_in()
    assert post(browser, "/push", sent).status_code == 400


def test_page_under_a_prefix_leads_the_script_there(tmp_path: Path) -> None:
    site = a_site(tmp_path, web=WebSettings(listen="127.0.0.1:8788", url=f"{PUBLIC}/watcher"))
    page = site.signed_in(PUBLIC, prefix="/watcher").get("/watcher/devices").text
    assert 'data-worker="/watcher/service-worker.js"' in page
    assert 'data-to="/watcher/push"' in page
    assert 'href="/watcher/manifest.webmanifest"' in page


def test_push_subscription_that_is_nested_too_deep_is_refused(site: Site) -> None:
    browser = site.signed_in()
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": browser.csrf("/devices")}
    assert browser.client.post("/push", content=b"[" * 100_000, headers=headers).status_code == 400
