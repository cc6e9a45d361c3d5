"""A real Chromium, driven as plainly as it comes. Skipped out loud where there is none."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from watcher.errors import ForeignHost, PortalUnavailable
from watcher.sign_in.browser import open_window, running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium

HERE = frozenset({"127.0.0.1"})
PAGE = b"""<!doctype html><input id="name"><input id="hidden" style="display:none"><input id="box" type="checkbox">
<button onclick="document.title = keys.join('')">Go</button><script>
const keys = []; document.getElementById('name').addEventListener('keydown', event => keys.push(event.key));
</script>"""

needs_chromium = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"))),
    reason="Chromium is missing: apt install chromium",
)


def _answer(asked: ReceivedRequest) -> bytes:
    if asked.target.startswith("/away/"):
        return reply(302, location=f"http://localhost:{asked.target.removeprefix('/away/')}/")
    if asked.target == "/cookies":
        return reply(200, asked.headers.get("cookie", "none").encode(), content_type="text/html")
    if asked.target == "/set":
        return reply(200, b"ok", content_type="text/html", set_cookie="given=by-the-portal; Path=/")
    return reply(200, PAGE, content_type="text/html")


@pytest.fixture(scope="module")
def chromium() -> Iterator["Chromium"]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    with serve(_answer) as running:
        yield running


@needs_chromium
def test_browser_types_key_by_key_and_reports_visible_elements(chromium: "Chromium", site: LoopbackServer) -> None:
    with open_window(chromium, hosts=HERE) as browser:
        browser.visit(f"{site.origin}/")
        assert browser.visible(["#name", "#hidden", "#absent"]) == {"#name"}
        browser.write("#name", "ab c")
        browser.tick("#box")
        browser.press("button")
        assert browser.visible(["#box:checked"])
        assert browser.url == f"{site.origin}/"


@needs_chromium
def test_browser_identifies_itself_as_automated(chromium: "Chromium", site: LoopbackServer) -> None:
    with open_window(chromium, hosts=HERE) as browser:
        browser.visit(f"{site.origin}/")
    agent = next(asked.headers["user-agent"] for asked in site.requests if asked.target == "/")
    assert "Headless" in agent


@needs_chromium
def test_navigation_to_another_host_is_blocked(chromium: "Chromium", site: LoopbackServer) -> None:
    with serve(_answer) as other, open_window(chromium, hosts=HERE) as browser:
        with pytest.raises(ForeignHost, match="localhost"):
            browser.visit(f"{site.origin}/away/{other.origin.rpartition(':')[2]}")
        assert other.requests == []


@needs_chromium
def test_page_that_does_not_load_is_a_declared_error(chromium: "Chromium") -> None:
    with open_window(chromium, hosts=HERE) as browser, pytest.raises(PortalUnavailable, match="net::ERR_"):
        browser.visit("http://127.0.0.1:9/")


@needs_chromium
def test_cookies_can_be_added_and_read(chromium: "Chromium", site: LoopbackServer) -> None:
    given = {"name": "kept", "value": "before", "domain": "127.0.0.1", "path": "/", "expires": -1}
    with open_window(chromium, hosts=HERE, cookies=[given]) as browser:
        browser.visit(f"{site.origin}/set")
        assert {cookie["name"] for cookie in browser.cookies()} == {"kept", "given"}
        browser.clear_cookies()
        assert browser.cookies() == []
    assert next(asked for asked in site.requests if asked.target == "/set").headers["cookie"] == "kept=before"
