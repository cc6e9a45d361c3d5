"""The pages of a household in a real Chromium, signed in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.household import LUIS_PAGE, MARIAS_PAGE, a_household, save_letter
from tests.web.serving import plain, serving
from tests.web.visiting import Site
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import digest_of, new_token

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

needs_chromium = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"))),
    reason="Chromium is missing: apt install chromium",
)

PHONE: "ViewportSize" = {"width": 360, "height": 740}
DESK: "ViewportSize" = {"width": 1200, "height": 900}
PAGES = {
    "overview": "/",
    "overview, filtered": "/?person=Maria",
    "nothing found": "/?q=nothing",
    "case with a request": MARIAS_PAGE,
    "case": LUIS_PAGE,
    "letters": "/letters",
    "dates in a letter": f"{MARIAS_PAGE}/dates?days=2026-08-10,2026-09-01",
    "alerts": "/alerts",
    "alert": "/alerts/1",
    "calendar": "/calendar",
    "settings": "/settings",
    "devices": "/devices",
    "account": "/accounts/family",
    "hand-over": "/accounts/family/handover",
    "print": MARIAS_PAGE.replace("cases", "print"),
    "link to sign in": "LINK",
    "link of an alert": "ALERT",
    "sign in": "/sign-in",
    "not found": "/cases/0000000000000000",
}
"""The path of each page. LINK and ALERT are replaced by one with a new token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A household's page that is served, and the browser that visits it."""

    site: Site
    base: str
    chromium: "Browser"

    @contextmanager
    def tab(self, *, signed_in: bool = True, **options: Any) -> Iterator["Page"]:
        """Open a tab in a profile of its own. An error of the page's script or policy fails the test."""
        context = self.chromium.new_context(**{"locale": "en-US", "viewport": PHONE} | options)
        context.set_default_timeout(60_000)
        problems: list[str] = []
        tab = context.new_page()
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", lambda message: problems.append(message.text) if "Policy" in message.text else None)
        try:
            if signed_in:
                tab.goto(self.base + self.site.link())
                tab.click("main form button")
                tab.wait_for_url(f"{self.base}/")
            yield tab
            assert problems == []
        finally:
            context.close()

    def path(self, name: str) -> str:
        """Return the path of a page."""
        if PAGES[name] == "LINK":
            return self.site.link()
        if PAGES[name] == "ALERT":
            return f"/a/{self.alert_token()}"
        return PAGES[name]

    def alert_token(self, alert: int = 1) -> str:
        """Return the token of an alert's link."""
        token = new_token()
        with self.site.store() as store:
            store.outbox.set_link(alert, digest_of(token))
        return token

    def hand_over_key(self) -> None:
        """Add a key for hand-overs."""
        with self.site.store() as store:
            store.web.add(KeyKind.HANDOVER, new_token(), now=self.site.time.now(), name="family")


@contextmanager
def open_home(folder: Path, chromium: "Browser", *, prefix: str = "") -> Iterator[Home]:
    """Serve the page of a household."""
    site = a_household(folder)
    save_letter(site)
    with serving(plain(site.app, prefix=prefix)) as server:
        yield Home(site=site, base=f"http://localhost:{server.port}", chromium=chromium)
