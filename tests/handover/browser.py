"""A real Chromium in which a person is signed in at a double of the portal, under the portal's real host name."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doubles.public_hosts import public_hosts

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

_DEBIAN = "/usr/lib/chromium/chromium"
"""The program that Debian's start script runs; the script itself loads no extension but its own."""
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHROMIUM = next((path for name in (_DEBIAN, *_NAMES) if (path := shutil.which(name))), None)

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: apt install chromium")


@contextmanager
def chromium(
    upstreams: Mapping[str, str], folder: Path, *, extension: Path | None = None
) -> Iterator["BrowserContext"]:
    """Open a browser for which each host of `upstreams` is the server at that origin. No other host can be reached."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where Chromium is

    arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
    if extension is not None:
        arguments += [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
    with public_hosts(upstreams, folder) as environ, sync_playwright() as playwright:
        opened = playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=CHROMIUM,
            headless=True,
            args=arguments,
            ignore_default_args=["--disable-extensions"],
            ignore_https_errors=True,
            proxy={"server": environ["HTTPS_PROXY"]},
        )
        opened.set_default_timeout(60_000)
        try:
            yield opened
        finally:
            opened.close()
