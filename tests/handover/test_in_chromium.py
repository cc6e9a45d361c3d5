"""From the tab in which a person is signed in to the watcher's own page, in a real Chromium under real host names."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.doubles.uscis import FakeUscis, running_uscis
from tests.doubles.uscis_answers import request
from tests.handover.browser import chromium, needs_chromium
from tests.handover.test_scripts_in_chromium import PORTAL, STRICT, WATCHER, open_popup, sign_in
from tests.web.serving import plain, serving
from tests.web.visiting import Site, a_site
from watcher.model.web import KeyKind
from watcher.portals.uscis import UscisAccount
from watcher.settings import WebSettings

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = [needs_chromium, pytest.mark.xdist_group("chromium")]

PAGE = f"https://{WATCHER}"
OFFER = f"{PAGE}/accounts/family/handover"


@dataclass
class Scene:
    """A person's browser, signed in at the watcher's page; the portal; and the page itself."""

    portal: FakeUscis
    site: Site
    context: "BrowserContext"
    folder: Path

    def make(self, kind: str) -> "Page":
        """Make a script on the page of the account, and return the tab that shows it."""
        tab = self.context.new_page()
        tab.goto(OFFER)
        tab.click(f"form:has(input[value={kind}]) button")
        return tab


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("hand-over")
    web = WebSettings(listen="127.0.0.1:8788", url=PAGE)
    site = a_site(folder / "state", web=web, accounts={"family": UscisAccount(name="family", portal="uscis")})
    site.time.at = datetime.now(UTC)
    unpacked = folder / "extension"
    offered = site.signed_in(PAGE).submit("/accounts/family/handover", kind="extension")
    with zipfile.ZipFile(io.BytesIO(offered.content)) as archive:
        archive.extractall(unpacked)
    with running_uscis() as portal, serving(plain(site.app)) as server:
        upstreams = {PORTAL: portal.origin, WATCHER: f"http://127.0.0.1:{server.port}"}
        with chromium(upstreams, folder, extension=unpacked) as context:
            tab = context.new_page()
            tab.goto(f"{PAGE}{site.link()}")
            tab.click("main button")
            yield Scene(portal=portal, site=site, context=context, folder=folder)


@pytest.fixture(autouse=True)
def _kept(scene: Scene) -> Iterator[None]:
    """Put back what a test changed at the portal, and close its tabs."""
    cases = dict(scene.portal.cases)
    yield
    scene.portal.policy, scene.portal.cases = "", cases | scene.portal.cases
    for tab in scene.context.pages:
        tab.close()


def bookmark(scene: Scene) -> str:
    """Return what the bookmark of the page runs."""
    tab = scene.make("bookmark")
    address = tab.get_attribute('a[href^="javascript:"]', "href") or ""
    tab.close()
    return unquote(address.removeprefix("javascript:"))


def history(scene: Scene) -> list[str]:
    with scene.site.store() as store:
        return [change.change.kind for change in store.history()]


def test_bookmark_ends_on_the_page_with_what_was_read(scene: Scene) -> None:
    script, tab = bookmark(scene), sign_in(scene.portal, scene.context)
    tab.evaluate(script)
    tab.wait_for_selector("h1:has-text('1 case read')")
    assert history(scene).count("case_added") == 1
    scene.portal.add_case(case=scene.portal.cases["IOE0000000001"]["case"] | {"evidenceRequests": [request(1)]})
    tab.goto(f"https://{PORTAL}/account/applicant")
    tab.evaluate(script)
    tab.wait_for_selector("h1:has-text('1 case read')")
    assert "rfe_received" in history(scene)


def test_bookmark_hands_over_where_the_portal_forbids_forms_to_other_sites(scene: Scene) -> None:
    script = bookmark(scene)
    scene.portal.policy = STRICT
    tab = sign_in(scene.portal, scene.context)
    tab.evaluate(script)
    tab.wait_for_selector("h1:has-text('1 case read')")
    assert "#" not in tab.url
    assert history(scene).count("case_added") == 1


def test_extension_ends_on_the_page_with_what_was_read(scene: Scene) -> None:
    tab = sign_in(scene.portal, scene.context)
    popup = open_popup(scene.context, scene.folder / "extension", tab)
    popup.click("#hand-over", no_wait_after=True)
    tab.wait_for_selector("h1:has-text('1 case read')")


def test_extension_hands_over_the_session(scene: Scene) -> None:
    tab = sign_in(scene.portal, scene.context)
    popup = open_popup(scene.context, scene.folder / "extension", tab)
    popup.click("#session")
    popup.wait_for_selector("#result:has-text('family: 1 cookie imported.')")


def test_another_persons_account_is_refused_in_the_tab(scene: Scene) -> None:
    tab = sign_in(scene.portal, scene.context)
    tab.evaluate(bookmark(scene))
    tab.wait_for_selector("h1:has-text('1 case read')")
    script = bookmark(scene)  # it asks for the case that is known by now
    scene.portal.cases = {}
    tab = sign_in(scene.portal, scene.context)
    tab.evaluate(script)
    tab.wait_for_selector("h1:has-text('cannot see the cases of family')")


def test_ended_key_is_refused_in_the_tab(scene: Scene) -> None:
    script, tab = bookmark(scene), sign_in(scene.portal, scene.context)
    with scene.site.store() as store:
        store.web.remove(max(key.id for key in store.web.keys(KeyKind.HANDOVER)))  # not that of the extension
    tab.evaluate(script)
    tab.wait_for_selector("h1:has-text('This can no longer hand over')")


def test_page_of_another_site_can_talk_to_neither(scene: Scene) -> None:
    """Another site's page cannot send a hand-over, and finds no extension to talk to."""
    script, before = bookmark(scene), history(scene)
    address = script.split('"address": "')[1].split('"')[0]
    tab = sign_in(scene.portal, scene.context)
    tab.goto(f"https://{PORTAL}/account/applicant")
    foreign = scene.context.new_page()
    foreign.goto("about:blank")
    status = foreign.request.post(address, data="{}", headers={"Origin": "https://evil.example"}).status
    assert (status, history(scene)) == (403, before)
    assert tab.evaluate("typeof globalThis.chrome?.runtime?.sendMessage") == "undefined"
