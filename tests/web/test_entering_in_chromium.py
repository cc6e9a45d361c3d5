"""A real Chromium signs in by a link, adds a passkey, signs out, and signs in with the passkey. Skipped without one."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web.serving import plain, serving
from tests.web.visiting import Site, a_site
from watcher.settings import WebSettings
from watcher.sign_in.browser import running_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"))),
    reason="Chromium is missing: apt install chromium",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return a_site(tmp_path, web=WebSettings(listen="127.0.0.1:8788"))


def add_authenticator(page: "Page") -> None:
    """Give the page a phone's passkeys, whose user always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_link_and_passkey_sign_in_and_out(chromium: "Browser", site: Site) -> None:
    with serving(plain(site.app)) as server:
        base, context = f"http://localhost:{server.port}", chromium.new_context(locale="en-US")
        problems: list[str] = []
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        add_authenticator(page)
        page.goto(base + site.link())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/devices")
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_role("button", name="Remove the passkey").wait_for()
        page.get_by_role("button", name="Sign out").first.click()
        page.wait_for_url(f"{base}/sign-in")
        assert [cookie for cookie in context.cookies() if cookie.get("name") == "watcher"] == []
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/devices")
        assert page.get_by_text("(this device)").count() == 1
        page.get_by_role("button", name="Remove the passkey").click()
        page.get_by_text("The passkey is removed.").wait_for()
        assert problems == []
        context.close()


def test_link_signs_in_without_javascript_and_gives_no_script_the_cookie(chromium: "Browser", site: Site) -> None:
    with serving(plain(site.app)) as server:
        base, context = f"http://127.0.0.1:{server.port}", chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(base + site.link())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{base}/")
        (cookie,) = context.cookies()
        assert (cookie.get("name"), cookie.get("httpOnly"), cookie.get("sameSite")) == ("watcher", True, "Lax")
        context.close()


def test_form_of_another_site_is_refused_in_a_browser(chromium: "Browser", site: Site) -> None:
    with serving(plain(site.app)) as server:
        base, context = f"http://127.0.0.1:{server.port}", chromium.new_context()
        page = context.new_page()
        page.goto(base + site.link())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{base}/")
        form = f'<form method="post" action="{base}/devices/sign-out-all"><button>Win</button></form>'
        context.route("http://evil.example.org/", lambda route: route.fulfill(body=form, content_type="text/html"))
        page.goto("http://evil.example.org/")
        with page.expect_response("**/sign-out-all") as answer:
            page.get_by_role("button", name="Win").click()
        assert answer.value.status == 403
        context.close()
