"""The bookmark and the extension in a real Chromium, at the double of my.uscis.gov under its real host name."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

import pytest

from tests.doubles.loopback import ReceivedRequest, reply, serve
from tests.doubles.uscis import FakeUscis, running_uscis
from tests.handover.browser import chromium, needs_chromium
from tests.portals.test_manual_saved import CEAC
from watcher.handover.payload import HandOver, read_payload
from watcher.handover.scripts import Script
from watcher.portals import find
from watcher.portals.manual import ManualAccount
from watcher.portals.uscis import UscisAccount
from watcher.portals.uscis.handover import handover_plan

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

CEAC_HOST = "ceac.state.gov"
PORTAL, WATCHER = "my.uscis.gov", "watcher.example.org"
APPLICANT = f"https://{PORTAL}/account/applicant"
ADDRESS = f"https://{WATCHER}/handover/KEY"
STRICT = "default-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'"

pytestmark = [needs_chromium, pytest.mark.xdist_group("chromium")]


def script(**changed: object) -> Script:
    plan = handover_plan(UscisAccount(name="family", portal="uscis"))
    hosts = ("my.uscis.gov", "myaccount.uscis.gov")
    fields = {"plan": plan, "account": "family", "agency": "USCIS", "address": ADDRESS, "session_hosts": hosts}
    return Script(**fields | changed)  # type: ignore[arg-type]


@dataclass
class Receiver:
    """What arrived at the watcher's page."""

    bodies: list[bytes] = field(default_factory=list)

    def handle(self, request: ReceivedRequest) -> bytes:
        if request.method == "POST":
            self.bodies.append(request.body)
            return reply(200, b"<h1>1 case read</h1>", content_type="text/html")
        page = CEAC if request.headers["host"] == CEAC_HOST else "<h1>arrived</h1>"
        return reply(200, page.encode(), content_type="text/html")

    def hand_over(self, origin: str = f"https://{PORTAL}") -> HandOver:
        (body,) = self.bodies
        content = parse_qs(body.decode())["content"][0]
        return read_payload(content.encode(), origin=origin)


@dataclass
class Scene:
    """A person's browser, the portal, and the watcher's page."""

    portal: FakeUscis
    receiver: Receiver
    context: "BrowserContext"
    extension: Path

    def sign_in(self) -> "Page":
        """Sign in, and return the tab with the person's cases."""
        return sign_in(self.portal, self.context)


def sign_in(portal: FakeUscis, context: "BrowserContext") -> "Page":
    """Sign in at the portal, and return the tab with the person's cases."""
    cookie = portal.new_session()
    kept = {"name": cookie["name"], "value": cookie["value"], "domain": PORTAL, "path": "/"}
    context.add_cookies([{**kept, "httpOnly": True, "secure": True}])  # type: ignore[typeddict-item]
    tab = context.new_page()
    tab.goto(APPLICANT)
    return tab


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("browser")
    unpacked = folder / "extension"
    with zipfile.ZipFile(io.BytesIO(script().extension())) as archive:
        archive.extractall(unpacked)
    receiver = Receiver()
    with running_uscis() as portal, serve(receiver.handle) as watcher:
        upstreams = {PORTAL: portal.origin, WATCHER: watcher.origin, CEAC_HOST: watcher.origin}
        with chromium(upstreams, folder, extension=unpacked) as context:
            yield Scene(portal=portal, receiver=receiver, context=context, extension=unpacked)


@pytest.fixture(autouse=True)
def _fresh(scene: Scene) -> None:
    scene.receiver.bodies.clear()
    scene.portal.policy = ""
    scene.portal.end_sessions()
    scene.context.clear_cookies()
    for tab in scene.context.pages:
        tab.close()


def press(tab: "Page", pressed: Script) -> None:
    """Run the bookmark as the browser does: outside of the page's own policy for scripts."""
    tab.evaluate(unquote(pressed.bookmark().removeprefix("javascript:")))


def test_bookmark_hands_over_the_cases_and_ends_on_the_watchers_page(scene: Scene) -> None:
    tab = scene.sign_in()
    press(tab, script())
    tab.wait_for_url(ADDRESS)
    assert tab.text_content("h1") == "1 case read"
    hand_over = scene.receiver.hand_over()
    assert set(hand_over.by_case()) == set(scene.portal.cases)
    assert [answer.status for answer in hand_over.answers] == [200, 200, 200]


def test_no_cookie_is_handed_over(scene: Scene) -> None:
    tab = scene.sign_in()
    press(tab, script())
    tab.wait_for_url(ADDRESS)
    (session,) = scene.portal.sessions
    assert session.encode() not in scene.receiver.bodies[0]


def test_portal_that_forbids_forms_to_other_sites_is_left_with_the_content_in_the_address(scene: Scene) -> None:
    scene.portal.policy = STRICT
    tab = scene.sign_in()
    press(tab, script())
    tab.wait_for_url(f"{ADDRESS}#*")
    assert scene.receiver.bodies == []
    unpacked = tab.evaluate(
        """async () => {
          const text = atob(location.hash.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
          const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
          return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
        }"""
    )
    hand_over = read_payload(unpacked.encode(), origin=f"https://{PORTAL}")
    assert set(hand_over.by_case()) == set(scene.portal.cases)


def test_bookmark_on_another_site_says_where_to_go_and_sends_nothing(scene: Scene) -> None:
    tab = scene.context.new_page()
    tab.goto(f"https://{WATCHER}/")
    press(tab, script())
    assert f"Open {PORTAL} and sign in" in (tab.text_content("#case-watcher-status") or "")
    assert scene.receiver.bodies == []


def test_bookmark_after_the_session_has_ended_says_so_in_the_tab(scene: Scene) -> None:
    tab = scene.sign_in()
    scene.portal.end_sessions()
    press(tab, script())
    tab.wait_for_selector("#case-watcher-status:has-text('did not answer')")
    assert scene.receiver.bodies == []


def test_shortcut_completes_with_the_content_or_with_the_reason(scene: Scene) -> None:
    """Run in Chromium with a stand-in for `completion`, which Safari provides."""
    run = "source => new Promise(resolve => new Function('completion', source)(resolve))"
    tab = scene.sign_in()
    content = tab.evaluate(run, script().shortcut())
    assert read_payload(content.encode(), origin=f"https://{PORTAL}").answers
    tab.goto(f"https://{WATCHER}/")
    assert "problem" in tab.evaluate(run, script().shortcut())


def extension_id(folder: Path) -> str:
    """Return the name that Chromium gives to an unpacked extension."""
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:32]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest)


def open_popup(context: "BrowserContext", extension: Path, tab: "Page") -> "Page":
    popup = context.new_page()
    popup.goto(f"chrome-extension://{extension_id(extension)}/popup.html")
    # A test cannot press a button of the toolbar: the window is a tab of its own, and it is given the portal's tab.
    popup.evaluate(
        """async (address) => {
          const found = (await chrome.tabs.query({})).filter((each) => each.url === address).at(-1);
          chrome.tabs.query = async () => [found];
        }""",
        tab.url,
    )
    return popup


def test_extension_hands_over_the_cases(scene: Scene) -> None:
    tab = scene.sign_in()
    popup = open_popup(scene.context, scene.extension, tab)
    popup.click("#hand-over", no_wait_after=True)
    tab.wait_for_url(ADDRESS)
    assert set(scene.receiver.hand_over().by_case()) == set(scene.portal.cases)


def test_extension_sends_the_cookies_only_when_asked(scene: Scene) -> None:
    tab = scene.sign_in()
    popup = open_popup(scene.context, scene.extension, tab)
    popup.click("#session")
    popup.wait_for_selector("#result:has-text('1 case read')")
    (session,) = scene.portal.sessions
    assert session.encode() in scene.receiver.bodies[0]


def test_result_page_after_a_captcha_is_handed_over_without_what_was_typed(scene: Scene) -> None:
    account = ManualAccount(name="family", portal="manual", site="ceac", cases=("AA00000001",))
    plan = find("manual").handover(account)
    assert plan is not None
    tab = scene.context.new_page()
    tab.goto(f"https://{CEAC_HOST}/CEACStatTracker/Status.aspx")
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<input value=\"PASSPORT-NUMBER\">')")
    press(tab, script(plan=plan, session_hosts=()))
    tab.wait_for_url(ADDRESS)
    (answer,) = scene.receiver.hand_over(f"https://{CEAC_HOST}").answers
    assert b"Administrative Processing" in answer.body
    assert b"PASSPORT-NUMBER" not in answer.body
