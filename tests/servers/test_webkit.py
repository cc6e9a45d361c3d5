"""The Shortcut's script in a real WebKit, the engine of Safari: WebKitGTK, driven through its WebDriver.

Playwright's own WebKit is a download of its own; Debian's is driven by the protocol of W3C instead. Only Safari has
`completion`, so the callback of an asynchronous script stands in for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doubles.public_hosts import public_hosts
from tests.doubles.uscis import FakeUscis, running_uscis
from tests.handover.test_scripts_in_chromium import APPLICANT, PORTAL, script
from tests.servers.running import free_port, program, running, wanted
from watcher.handover.payload import read_payload

pytestmark = pytest.mark.servers
_BROWSERS = "webkit2gtk-4.*/MiniBrowser"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebKit:
    """A session of WebDriver."""

    client: httpx.Client
    session: str

    def command(self, name: str, **arguments: Any) -> Any:
        """Send a command of WebDriver and return its value."""
        answer = self.client.post(f"/session/{self.session}/{name}", json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def run_shortcut(self) -> str:
        """Run the Shortcut's script in the tab, and return what it completes with."""
        source = f"const completion = arguments[0];\n{script().shortcut()}"
        return str(self.command("execute/async", script=source, args=[]))


@contextmanager
def webkit(proxy: str, folder: Path) -> Iterator[WebKit]:
    """Start a display and a browser on it that sends every request to the proxy."""
    browser = next((str(found) for found in sorted(Path("/usr/lib").glob(f"*/{_BROWSERS}"))), None)
    driver, server, port = program("WebKitWebDriver"), program("Xvfb"), free_port()
    if browser is None:
        wanted("MiniBrowser of WebKitGTK is not installed; run tests/servers/install")
    display = free_port()
    options = {"binary": browser, "args": ["--automation", f"--proxy={proxy}"]}
    capabilities = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
    # The sandbox needs namespaces that a container does not have. The browser reaches only the proxy.
    environ = {"DISPLAY": f"127.0.0.1:{display - 6000}", "GDK_BACKEND": "x11", _NO_SANDBOX: "1"}
    screen = [server, f":{display - 6000}", "-ac", "-screen", "0", "800x600x24", "-listen", "tcp"]
    with (
        running(screen, port=display, folder=_made(folder / "display")),
        running([driver, f"--port={port}"], port=port, folder=_made(folder / "driver"), environ=environ),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):
        answer = client.post("/session", json={"capabilities": {"alwaysMatch": capabilities}})
        assert answer.status_code == 200, answer.text
        session = answer.json()["value"]["sessionId"]
        yield WebKit(client=client, session=session)
        client.delete(f"/session/{session}")


_NO_SANDBOX = "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def portal() -> Iterator[FakeUscis]:
    with running_uscis() as portal:
        yield portal


@pytest.fixture(scope="module")
def safari(portal: FakeUscis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebKit]:
    folder = tmp_path_factory.mktemp("webkit")
    with (
        public_hosts({PORTAL: portal.origin}, folder) as environ,
        webkit(environ["HTTPS_PROXY"], folder) as opened,
    ):
        yield opened


def test_shortcut_reads_the_cases_of_the_signed_in_tab(portal: FakeUscis, safari: WebKit) -> None:
    safari.command("url", url=f"https://{PORTAL}/nothing")
    cookie = portal.new_session()
    safari.command("cookie", cookie={"name": cookie["name"], "value": cookie["value"], "httpOnly": True, "path": "/"})
    safari.command("url", url=APPLICANT)
    hand_over = read_payload(safari.run_shortcut().encode(), origin=f"https://{PORTAL}")
    assert set(hand_over.by_case()) == set(portal.cases)
    assert {answer.status for answer in hand_over.answers} == {200}


def test_shortcut_after_the_session_has_ended_completes_with_the_reason(portal: FakeUscis, safari: WebKit) -> None:
    safari.command("url", url=f"https://{PORTAL}/nothing")
    portal.end_sessions()
    assert "Sign in there" in safari.run_shortcut()


def test_shortcut_on_another_page_completes_with_where_to_go(safari: WebKit) -> None:
    safari.command("url", url="data:text/html,<title>another</title>")
    assert f"Open {PORTAL} and sign in" in safari.run_shortcut()
