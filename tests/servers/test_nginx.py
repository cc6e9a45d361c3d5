"""The page behind a real nginx that adds TLS and a path prefix, visited by a real Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.handover.browser import CHROMIUM, needs_chromium
from tests.servers.running import free_port, program, running
from tests.web.household import MARIA, MARIAS_PAGE, a_household
from tests.web.serving import plain, serving
from tests.web.visiting import Site
from watcher.settings import WebSettings

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.servers, needs_chromium, pytest.mark.xdist_group("chromium")]

HOST, PREFIX = "watcher.example.org", "/watcher"
BASE = f"https://{HOST}{PREFIX}"
CONFIG = """
daemon off;
pid nginx.pid;
error_log error.log;
worker_processes 1;
events {{ }}
http {{
  access_log access.log;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location {prefix}/ {{
      proxy_pass http://127.0.0.1:{page}{target};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The page behind nginx, and a tab that is signed in."""

    site: Site
    tab: "Page"
    folder: Path


@contextmanager
def nginx(folder: Path, page: int, target: str) -> Iterator[int]:
    """Run nginx in front of the page, and yield its port."""
    port, certificate, key = free_port(), folder / "certificate.pem", folder / "key.pem"
    identity = trustme.CA().issue_cert(HOST)
    identity.private_key_pem.write_to_path(str(key))
    for number, part in enumerate(identity.cert_chain_pems):
        part.write_to_path(str(certificate), append=number > 0)
    config = folder / "nginx.conf"
    config.write_text(
        CONFIG.format(port=port, certificate=certificate, key=key, prefix=PREFIX, page=page, target=target)
    )
    with running([program("nginx"), "-p", folder, "-c", config, "-e", folder / "error.log"], port=port, folder=folder):
        yield port


@pytest.fixture(scope="module", params=["/", f"{PREFIX}/"], ids=["prefix-removed", "prefix-kept"])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where Chromium is

    folder = tmp_path_factory.mktemp("nginx")
    web = WebSettings(listen="127.0.0.1:8788", url=BASE, trusted_proxies=("127.0.0.1",))
    site = a_household(folder / "state", web=web)
    with (
        serving(plain(site.app, trusted_proxies=["127.0.0.1"], prefix=PREFIX)) as server,
        nginx(folder, server.port, request.param) as port,
        sync_playwright() as playwright,
    ):
        rules = f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{port}"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", rules])
        context = browser.new_context(ignore_https_errors=True, locale="en-US")
        context.set_default_timeout(60_000)
        tab = context.new_page()
        tab.goto(BASE + site.link())
        tab.click("main form button")
        tab.wait_for_url(f"{BASE}/")
        yield Behind(site=site, tab=tab, folder=folder)
        browser.close()


def test_every_link_and_file_stays_under_the_prefix(behind: Behind) -> None:
    failed: list[str] = []
    behind.tab.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    paths = ["/", MARIAS_PAGE, "/letters", "/alerts", "/calendar", "/settings", "/devices", "/accounts/family"]
    for path in paths:
        behind.tab.goto(BASE + path)
        inside = '[...document.querySelectorAll(\'a[href^="/"], form[action^="/"], link, script[src]\')]'
        found = behind.tab.evaluate(f"{inside}.map((each) => each.href || each.src || each.action)")
        assert [each for each in found if not each.startswith(f"{BASE}/")] == []
    assert failed == []


def test_actions_and_messages_work(behind: Behind) -> None:
    behind.tab.goto(BASE + MARIAS_PAGE)
    behind.tab.click("summary:has-text('Add a note')")
    behind.tab.fill("textarea[name=text]", "Behind nginx")
    behind.tab.click("button:has-text('Save the note')")
    behind.tab.wait_for_url(f"{BASE}{MARIAS_PAGE}*")
    behind.tab.locator("text=Behind nginx").first.wait_for()
    with behind.site.store() as store:
        assert "note" in [change.change.kind for change in store.history(case_number=MARIA)]


def test_cookies_are_for_this_host_over_https_and_under_the_prefix(behind: Behind) -> None:
    (device,) = [each for each in behind.tab.context.cookies() if each["name"] == "__Secure-watcher"]
    assert (device["secure"], device["httpOnly"], device["sameSite"]) == (True, True, "Lax")
    assert (device["domain"], device["path"]) == (HOST, PREFIX)
