"""A real Chromium, driven as plainly as it comes. Skipped out loud where there is none."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from watcher.errors import CodeNeeded, ForeignHost, PortalUnavailable
from watcher.sign_in.browser import find_chromium, open_browser

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


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    with serve(_answer) as running:
        yield running


@needs_chromium
def test_browser_types_key_by_key_and_reports_visible_elements(site: LoopbackServer) -> None:
    with open_browser(hosts=HERE) as browser:
        browser.visit(f"{site.origin}/")
        assert browser.visible(["#name", "#hidden", "#absent"]) == {"#name"}
        browser.write("#name", "ab c")
        browser.tick("#box")
        browser.press("button")
        assert browser.visible(["#box:checked"])
        assert browser.url == f"{site.origin}/"


@needs_chromium
def test_browser_identifies_itself_as_automated(site: LoopbackServer) -> None:
    with open_browser(hosts=HERE) as browser:
        browser.visit(f"{site.origin}/")
    agent = next(asked.headers["user-agent"] for asked in site.requests if asked.target == "/")
    assert "Headless" in agent


@needs_chromium
def test_navigation_to_another_host_is_blocked(site: LoopbackServer) -> None:
    with serve(_answer) as other, open_browser(hosts=HERE) as browser:
        with pytest.raises(ForeignHost, match="localhost"):
            browser.visit(f"{site.origin}/away/{other.origin.rpartition(':')[2]}")
        assert other.requests == []


@needs_chromium
def test_page_that_does_not_load_is_a_declared_error() -> None:
    with open_browser(hosts=HERE) as browser, pytest.raises(PortalUnavailable, match="net::ERR_"):
        browser.visit("http://127.0.0.1:9/")


@needs_chromium
def test_cookies_can_be_added_and_read(site: LoopbackServer) -> None:
    given = {"name": "kept", "value": "before", "domain": "127.0.0.1", "path": "/", "expires": -1}
    with open_browser(hosts=HERE, cookies=[given]) as browser:
        browser.visit(f"{site.origin}/set")
        assert {cookie["name"] for cookie in browser.cookies()} == {"kept", "given"}
        browser.clear_cookies()
        assert browser.cookies() == []
    assert next(asked for asked in site.requests if asked.target == "/set").headers["cookie"] == "kept=before"


def test_missing_browser_path_is_named() -> None:
    with pytest.raises(CodeNeeded, match="/no/such/browser"):
        find_chromium("/no/such/browser")


def test_missing_browser_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CodeNeeded, match="apt install chromium"):
        find_chromium()


def test_missing_playwright_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(CodeNeeded, match="pip install"), open_browser(hosts=HERE, path=sys.executable):
        pass


def test_program_that_is_not_a_browser_does_not_start(tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o700)
    with pytest.raises(CodeNeeded, match="does not start"), open_browser(hosts=HERE, path=str(program)):
        pass


def test_driver_that_does_not_start_is_not_a_portal_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\nexit 3\n")
    node.chmod(0o700)
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
    for _ in range(2):  # nothing of the first is left over
        with pytest.raises(CodeNeeded, match="service install --browser"), open_browser(hosts=HERE, path=str(node)):
            pass
