"""Alerts on an installed page in a real Chromium: it subscribes, its worker shows what arrives, a tap opens the link.

Headless Chromium has no push service: the page's subscription is made at the one on loopback, and what that decrypts is
delivered to the worker through the DevTools protocol.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.doubles.push_service import Pushed, PushService, push_service
from tests.sign_in.test_browser import needs_chromium
from tests.support.waiting import eventually
from tests.web.serving import serving
from tests.web.visiting import Site as Page
from tests.web.visiting import a_site
from watcher.sign_in.browser import running_chromium
from watcher.web.server import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import BrowserContext, CDPSession
    from playwright.sync_api import Page as Tab

pytestmark = needs_chromium

_SUBSCRIBES_ON_LOOPBACK = """
PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
  const key = btoa(String.fromCharCode(...applicationServerKey)).replace(/\\+/g, "-").replace(/\\//g, "_");
  const subscription = await window.subscribeOnLoopback(key.replace(/=+$/, ""), userVisibleOnly);
  return { toJSON: () => subscription };
};
"""
_SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  const shown = await registration.getNotifications();
  return shown.map(({ title, body, data, requireInteraction }) => ({ title, body, data, requireInteraction }));
}"""
_TAP = """async () => {
  const opened = [];
  self.clients.openWindow = async (address) => { opened.push(address); };
  const [notification] = await self.registration.getNotifications();
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
  return opened;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator["Chromium"]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def push(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    with push_service(tmp_path) as service:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(service.ca_file))
        yield service


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return a_site(tmp_path)


@pytest.fixture
def origin(page: Page) -> Iterator[str]:
    def site(listening: socket.socket) -> Site:
        return Site(listening=listening, app=page.app)

    with serving(site) as served:
        yield f"http://127.0.0.1:{served.port}"


@pytest.fixture
def context(chromium: "Chromium", origin: str, push: PushService) -> Iterator["BrowserContext"]:
    context = chromium.new_context(base_url=origin, service_workers="allow")
    context.grant_permissions(["notifications"], origin=origin)

    def subscribe(key: str, visible: object) -> dict[str, Any]:
        assert visible is True
        return push.subscribe(key).subscription

    context.expose_function("subscribeOnLoopback", subscribe)
    context.add_init_script(_SUBSCRIBES_ON_LOOPBACK)
    context.set_default_timeout(60_000)
    yield context
    context.close()


def signed_in(context: "BrowserContext", page: Page) -> "Tab":
    tab = context.new_page()
    tab.goto(page.link())
    tab.get_by_role("button").first.click()
    tab.goto("/devices")
    return tab


def installation_faults(context: "BrowserContext", tab: "Tab") -> set[str]:
    """Return why the page cannot be installed."""
    session = context.new_cdp_session(tab)
    assert session.send("Page.getAppManifest")["errors"] == []
    return {fault["errorId"] for fault in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}


class Worker:
    """The service worker of a tab's page."""

    def __init__(self, tab: "Tab", origin: str) -> None:
        self._tab, self._origin, self._ids = tab, origin, list[str]()
        self._session: CDPSession = tab.context.new_cdp_session(tab)
        self._session.on("ServiceWorker.workerRegistrationUpdated", self._note)
        self._session.send("ServiceWorker.enable")
        assert eventually(lambda: tab.evaluate("Boolean(navigator.serviceWorker)") and self._ids)

    def deliver(self, pushed: Pushed) -> dict[str, Any]:
        """Deliver what a push service sent; return the notification that is shown."""
        return self.deliver_text(json.dumps(pushed.alert))

    def deliver_text(self, text: str) -> dict[str, Any]:
        message = {"origin": self._origin, "registrationId": self._ids[-1], "data": text}
        self._session.send("ServiceWorker.deliverPushMessage", message)
        assert eventually(lambda: self._tab.evaluate(_SHOWN))
        (shown,) = self._tab.evaluate(_SHOWN)
        return dict(shown)

    def tap(self) -> list[str]:
        """Tap on the notification; return the addresses that the worker opens."""
        (worker,) = self._tab.context.service_workers
        return list(worker.evaluate(_TAP))

    def _note(self, event: dict[str, Any]) -> None:
        self._ids += [one["registrationId"] for one in event["registrations"] if not one["isDeleted"]]


def test_device_subscribes_to_an_installable_page_and_shows_the_alert(
    context: "BrowserContext", page: Page, origin: str, push: PushService
) -> None:
    tab = signed_in(context, page)
    tab.get_by_label("Which alerts").select_option("urgent")
    tab.get_by_role("button", name="Notify this device").click()
    tab.get_by_text("This device gets alerts").wait_for()
    assert tab.get_by_label("Which alerts").input_value() == "urgent"
    tab.get_by_role("button", name="Send a test alert").click()
    tab.get_by_text("A test alert was sent to this device.").wait_for()
    (browser,) = push.browsers.values()
    (pushed,) = browser.received
    assert push.refused == []
    worker = Worker(tab, origin)
    shown = worker.deliver(pushed)
    assert (shown["title"], shown["body"]) == (pushed.alert["title"], pushed.alert["body"])
    assert shown["data"] == {"link": f"{origin}/"}
    assert worker.tap() == [f"{origin}/"]
    assert installation_faults(context, tab) <= {"in-incognito"}  # Playwright's contexts are private windows


def test_tap_opens_the_link_of_the_alert_until_the_device_stops_its_alerts(
    context: "BrowserContext", page: Page, origin: str
) -> None:
    tab = signed_in(context, page)
    tab.get_by_role("button", name="Notify this device").click()
    tab.get_by_text("This device gets alerts").wait_for()
    worker = Worker(tab, origin)
    alert = {"title": "News", "body": "It moved.", "link": f"{origin}/a/token", "urgent": True}
    shown = worker.deliver_text(json.dumps(alert))
    assert shown == {"title": "News", "body": "It moved.", "data": {"link": alert["link"]}, "requireInteraction": True}
    assert worker.tap() == [alert["link"]]
    tab.get_by_role("button", name="No more alerts on this device").click()
    tab.get_by_role("button", name="Notify this device").wait_for()


def test_browser_that_permits_no_notifications_says_so(chromium: "Chromium", page: Page, origin: str) -> None:
    context = chromium.new_context(base_url=origin)
    context.add_init_script("Notification.requestPermission = async () => 'denied';")
    tab = signed_in(context, page)
    tab.get_by_role("button", name="Notify this device").click()
    tab.get_by_text("The browser does not permit notifications").wait_for()
    context.close()
