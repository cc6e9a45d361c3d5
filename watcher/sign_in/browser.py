"""A browser of this machine, for portals that let nobody sign in without one (optional extra `case-watcher[browser]`).

It is the system's Chromium, driven by Playwright, as plain as it comes: it says that it is automated and headless, and
types into the page as a person's would. Nothing is hidden, nothing is pretended; where a portal does not want such a
browser, a person signs in.
"""

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from watcher.errors import CodeNeeded, ForeignHost, PortalUnavailable

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
"""What Chromium gets of the environment: the rest may hold secrets, and is none of its business."""
_BETWEEN_KEYS: Final = 25.0
_PATIENCE: Final = 30_000.0
"""Milliseconds for a page to come, or for an element to take a click."""
_SERVER_ERROR: Final = 500
_UNDER_SYSTEMD: Final = "where systemd runs the watcher, `watcher service install --browser` lets it"


class Browser:
    """One window of a running browser. `hosts` are the only ones that it may be led to.

    Its methods raise `ForeignHost` where a page led elsewhere (nothing was sent there), and `PortalUnavailable` where
    the page does not come or does not take what is done to it.
    """

    def __init__(self, context: "BrowserContext", page: "Page", hosts: Collection[str]) -> None:
        self._context, self._page, self._hosts = context, page, frozenset(hosts)
        self._led_to: str | None = None
        self._wire = context.new_cdp_session(page)
        self._window = self._wire.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._wire.on("Fetch.requestPaused", self._let_pass)
        self._wire.send("Fetch.enable", {"patterns": [{"resourceType": "Document"}]})

    @property
    def url(self) -> str:
        """The address of the page that it shows."""
        return self._page.url

    def visit(self, url: str) -> None:
        """Goes to a page, and wherever that leads. Raises `PortalUnavailable` where it is down (5xx), too."""
        with self._troubles():
            answer = self._page.goto(url, wait_until="domcontentloaded")
        if answer is not None and answer.status >= _SERVER_ERROR:
            raise PortalUnavailable(f"{urlsplit(answer.url).hostname} is not available (HTTP {answer.status})")

    def shown(self, selectors: Iterable[str]) -> frozenset[str]:
        """Which of these CSS selectors have an element that a person could see."""
        with self._troubles():
            return frozenset(each for each in selectors if self._page.locator(each).filter(visible=True).count())

    def write(self, selector: str, text: str) -> None:
        """Types into a field, key by key."""
        with self._troubles():
            field = self._page.locator(selector).filter(visible=True).first
            field.click()
            field.press_sequentially(text, delay=_BETWEEN_KEYS)

    def tick(self, selector: str) -> None:
        """Ticks a box, unless it is ticked."""
        with self._troubles():
            self._page.locator(selector).filter(visible=True).first.check()

    def press(self, selector: str) -> None:
        """Clicks on an element."""
        with self._troubles():
            self._page.locator(selector).filter(visible=True).first.click()

    def wait(self, seconds: float) -> None:
        """Lets the page live on for a while."""
        with self._troubles():
            self._page.wait_for_timeout(seconds * 1000)

    def cookies(self) -> list[Mapping[str, Any]]:
        """The cookies of `hosts`, as Playwright writes them."""
        with self._troubles():
            ours = [cookie for cookie in self._context.cookies() if self._is_ours(cookie.get("domain", ""))]
        return [{name: value for name, value in cookie.items() if name != "sameSite"} for cookie in ours]

    def take_over(self, cookies: Iterable[Mapping[str, Any]]) -> None:
        """Starts with these cookies: `name`, `value`, `domain`, `path`, and `expires` in Unix time."""
        with self._troubles():
            self._context.add_cookies([cast("Any", dict(cookie)) for cookie in cookies])

    def forget_cookies(self) -> None:
        """Starts afresh."""
        with self._troubles():
            self._context.clear_cookies()

    def _is_ours(self, domain: str) -> bool:
        bare = domain.removeprefix(".")
        return any(host == bare or host.endswith(f".{bare}") for host in self._hosts)

    def _let_pass(self, paused: dict[str, Any]) -> None:
        """Pages may load what they like; where the window itself goes is looked at first, each redirect by itself.

        (Playwright's own routing sees a redirect only once it is through, so this goes by Chromium's protocol.)
        """
        host = urlsplit(paused["request"]["url"]).hostname or ""
        if paused["frameId"] == self._window and host not in self._hosts:
            self._led_to = host or "no host"
            self._wire.send("Fetch.failRequest", {"requestId": paused["requestId"], "errorReason": "AccessDenied"})
        else:
            self._wire.send("Fetch.continueRequest", {"requestId": paused["requestId"]})

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        """Playwright's own words stay here: they may quote what was typed."""
        from playwright.sync_api import Error  # noqa: PLC0415 - an optional extra

        trouble = None
        try:
            yield
        except Error as error:
            found = re.search(r"net::ERR_[A-Z_]+", error.message)
            trouble = found.group() if found else type(error).__name__
        if self._led_to is not None:
            raise ForeignHost(
                f"The browser was led to {self._led_to}, which is not the portal's; nothing was sent there"
            )
        if trouble is not None:
            raise PortalUnavailable(f"The browser could not go on ({trouble})")


def find_chromium(path: str = "") -> str:
    """The browser to start: the one at `path` where that is given, else the system's own.

    Raises `CodeNeeded` with what to install where there is none.
    """
    names = (path,) if path else _NAMES
    found = next((place for name in names if (place := shutil.which(name))), None)
    if found is None and path:
        raise CodeNeeded(f"There is no browser at {path}; correct browser_path, or leave it out to use the system's")
    if found is None:
        raise CodeNeeded(
            'Signing in with sign_in = "browser" needs Chromium: install it (on Debian: apt install chromium), or name '
            "it in browser_path"
        )
    return found


@contextmanager
def open_browser(
    *, hosts: Collection[str], path: str = "", cookies: Sequence[Mapping[str, Any]] = ()
) -> Iterator[Browser]:
    """A browser with one empty window; closed by leaving the context.

    Raises `CodeNeeded` with what to do where Playwright or Chromium is missing or does not start.
    """
    program = find_chromium(path)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise CodeNeeded(
            'Signing in with sign_in = "browser" needs Playwright: pip install "case-watcher[browser]"'
        ) from None
    with ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
        except Exception:  # noqa: BLE001 - Playwright raises a bare one where its driver ends at once
            raise CodeNeeded(
                "Playwright's driver does not start; the log has its own words (on Debian it wants libatomic1; "
                f"{_UNDER_SYSTEMD})"
            ) from None
        context = _started(playwright, program)
        try:
            browser = Browser(context, context.new_page(), hosts)
            browser.take_over(cookies)
            yield browser
        finally:
            _close(context)


def _started(playwright: "Playwright", program: str) -> "BrowserContext":
    """Chromium keeps its own sandbox, but as root, where it would not start with it."""
    from playwright.sync_api import Error  # noqa: PLC0415 - an optional extra

    try:
        chromium = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            chromium_sandbox=os.geteuid() != 0,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
    except Error as error:
        reason = error.message.strip().splitlines()[0] if error.message.strip() else "no reason given"
        raise CodeNeeded(f"{program} does not start: {reason} ({_UNDER_SYSTEMD})") from None
    context = chromium.new_context(accept_downloads=False)
    context.set_default_timeout(_PATIENCE)
    return context


def _close(context: "BrowserContext") -> None:
    """Closes all of it; a browser that is gone already is closed, too."""
    from playwright.sync_api import Error  # noqa: PLC0415 - an optional extra

    try:
        if context.browser is not None:
            context.browser.close()
    except Error:
        return
