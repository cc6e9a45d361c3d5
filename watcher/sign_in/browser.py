"""A local browser for portals that require one to sign in (optional extra `case-watcher[browser]`).

This is the system's Chromium, driven by Playwright with default settings: it identifies itself as automated and
headless. No fingerprint is hidden or faked. If a portal rejects such a browser, a person signs in instead.
"""

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from watcher.errors import CodeNeeded, ForeignHost, PortalUnavailable
from watcher.messages import _, mark

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import BrowserContext, Page, Playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
"""The environment variables that Chromium receives. The others may contain secrets."""
_KEY_DELAY: Final = 25.0
"""Milliseconds between two keys."""
_TIMEOUT: Final = 30_000.0
"""Milliseconds to wait for a page to load, or for an element to accept a click."""
_SERVER_ERROR: Final = 500
_SYSTEMD_HINT: Final = mark("under systemd, `watcher service install --browser` allows it")


class Browser:
    """One window of a running browser that may navigate only to `hosts`.

    Every method raises `ForeignHost` if a page led to another host (nothing was sent there), and `PortalUnavailable`
    if the page does not load or an action on it fails.
    """

    def __init__(self, context: "BrowserContext", page: "Page", hosts: Collection[str]) -> None:
        self._context, self._page, self._hosts = context, page, frozenset(hosts)
        self._foreign_host: str | None = None
        self._cdp = context.new_cdp_session(page)
        self._window = self._cdp.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._cdp.on("Fetch.requestPaused", self._filter_request)
        self._cdp.send("Fetch.enable", {"patterns": [{"resourceType": "Document"}]})

    @property
    def url(self) -> str:
        """The address of the current page."""
        return self._page.url

    def visit(self, url: str) -> None:
        """Open a page and follow its redirects. Also raises `PortalUnavailable` if it answers with 5xx."""
        with self._translated_errors():
            response = self._page.goto(url, wait_until="domcontentloaded")
        if response is not None and response.status >= _SERVER_ERROR:
            raise PortalUnavailable(
                _(
                    "{host} is not available (HTTP {status})",
                    host=urlsplit(response.url).hostname,
                    status=response.status,
                )
            )

    def visible(self, selectors: Iterable[str]) -> frozenset[str]:
        """Return the CSS selectors that match a visible element."""
        with self._translated_errors():
            return frozenset(css for css in selectors if self._page.locator(css).filter(visible=True).count())

    def write(self, selector: str, text: str) -> None:
        """Type text into a field, key by key."""
        with self._translated_errors():
            field = self._page.locator(selector).filter(visible=True).first
            field.click()
            field.press_sequentially(text, delay=_KEY_DELAY)

    def tick(self, selector: str) -> None:
        """Tick a checkbox. Does nothing if it is ticked already."""
        with self._translated_errors():
            self._page.locator(selector).filter(visible=True).first.check()

    def press(self, selector: str) -> None:
        """Click an element."""
        with self._translated_errors():
            self._page.locator(selector).filter(visible=True).first.click()

    def wait(self, seconds: float) -> None:
        """Let the page run for some seconds."""
        with self._translated_errors():
            self._page.wait_for_timeout(seconds * 1000)

    def cookies(self) -> list[Mapping[str, Any]]:
        """Return the cookies of `hosts` in Playwright's form."""
        with self._translated_errors():
            own = [cookie for cookie in self._context.cookies() if self._is_own(cookie.get("domain", ""))]
        return [{name: value for name, value in cookie.items() if name != "sameSite"} for cookie in own]

    def add_cookies(self, cookies: Iterable[Mapping[str, Any]]) -> None:
        """Add cookies with `name`, `value`, `domain`, `path`, and `expires` in Unix time.

        One that the browser does not accept is left out; it would refuse all others with it.
        """
        from playwright.sync_api import Error  # noqa: PLC0415 - an optional extra

        for cookie in cookies:
            with suppress(Error, UnicodeError):
                self._context.add_cookies([cast("Any", dict(cookie))])

    def clear_cookies(self) -> None:
        """Delete all cookies."""
        with self._translated_errors():
            self._context.clear_cookies()

    def _is_own(self, domain: str) -> bool:
        bare = domain.removeprefix(".")
        return any(host == bare or host.endswith(f".{bare}") for host in self._hosts)

    def _filter_request(self, paused: dict[str, Any]) -> None:
        """Block navigation of the window to other hosts, including each redirect. Subresources may load.

        Playwright's routing reports a redirect only after it was followed, so this uses Chromium's own protocol.
        """
        host = urlsplit(paused["request"]["url"]).hostname or ""
        if paused["frameId"] == self._window and host not in self._hosts:
            self._foreign_host = host or _("an address without a host")
            self._cdp.send("Fetch.failRequest", {"requestId": paused["requestId"], "errorReason": "AccessDenied"})
        else:
            self._cdp.send("Fetch.continueRequest", {"requestId": paused["requestId"]})

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Replace Playwright's errors: their messages may quote what was typed."""
        from playwright.sync_api import Error  # noqa: PLC0415 - an optional extra

        reason = None
        try:
            yield
        except Error as error:
            match = re.search(r"net::ERR_[A-Z_]+", error.message)
            reason = match.group() if match else type(error).__name__
        if self._foreign_host is not None:
            raise ForeignHost(
                _(
                    "The browser was redirected to {host}, which does not belong to the website; "
                    "nothing was sent there",
                    host=self._foreign_host,
                )
            )
        if reason is not None:
            raise PortalUnavailable(_("The browser could not continue ({reason})", reason=reason))


def find_chromium(path: str = "") -> str:
    """Return the program at `path`, or the system's Chromium if `path` is empty.

    Raises `CodeNeeded` with installation advice if there is none.
    """
    names = (path,) if path else _NAMES
    program = next((file for name in names if (file := shutil.which(name))), None)
    if program is None and path:
        raise CodeNeeded(
            _(
                "There is no browser at {browser}. Correct browser_path, or remove it to use the system's browser",
                browser=path,
            )
        )
    if program is None:
        raise CodeNeeded(
            _(
                'Signing in with sign_in = "browser" needs Chromium. Install it (on Debian: apt install chromium), '
                "or set browser_path"
            )
        )
    return program


@contextmanager
def open_browser(
    *, hosts: Collection[str], path: str = "", cookies: Sequence[Mapping[str, Any]] = ()
) -> Iterator[Browser]:
    """Open a browser with one empty window, and close it when the context ends.

    Raises `CodeNeeded` with advice if Playwright or Chromium is missing or does not start.
    """
    with running_chromium(path) as chromium, open_window(chromium, hosts=hosts, cookies=cookies) as browser:
        yield browser


@contextmanager
def running_chromium(path: str = "") -> Iterator["Chromium"]:
    """Start Chromium, and end it when the context ends. Raises as `open_browser` does."""
    program = find_chromium(path)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise CodeNeeded(
            _('Signing in with sign_in = "browser" needs Playwright: pip install "case-watcher[browser]"')
        ) from None
    with ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
        except Exception:  # noqa: BLE001 - Playwright raises a bare Exception if its driver exits at once
            raise CodeNeeded(
                _(
                    "Playwright's driver does not start; see the log (on Debian it needs libatomic1; {hint})",
                    hint=_(_SYSTEMD_HINT),
                )
            ) from None
        chromium = _launch(playwright, program)
        try:
            yield chromium
        finally:
            _close(chromium)


@contextmanager
def open_window(
    chromium: "Chromium", *, hosts: Collection[str], cookies: Sequence[Mapping[str, Any]] = ()
) -> Iterator[Browser]:
    """Open one empty window with cookies of its own, and close it when the context ends."""
    context = chromium.new_context(accept_downloads=False)
    context.set_default_timeout(_TIMEOUT)
    try:
        browser = Browser(context, context.new_page(), hosts)
        browser.add_cookies(cookies)
        yield browser
    finally:
        _close(context)


def _launch(playwright: "Playwright", program: str) -> "Chromium":
    """Start Chromium with its sandbox, except as root, where it does not start with one."""
    from playwright.sync_api import Error  # noqa: PLC0415 - an optional extra

    try:
        return playwright.chromium.launch(
            executable_path=program,
            headless=True,
            chromium_sandbox=os.geteuid() != 0,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
    except Error as error:
        reason = error.message.strip().splitlines()[0] if error.message.strip() else _("no reason given")
        raise CodeNeeded(
            _(
                "{program} does not start: {reason} ({hint})",
                program=program,
                reason=reason,
                hint=_(_SYSTEMD_HINT),
            )
        ) from None


def _close(opened: "Chromium | BrowserContext") -> None:
    """Close a browser or a window. One that has already exited is not an error."""
    from playwright.sync_api import Error  # noqa: PLC0415 - an optional extra

    with suppress(Error):
        opened.close()
