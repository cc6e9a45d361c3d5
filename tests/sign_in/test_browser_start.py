"""What keeps a browser from starting is reported with what to do about it."""

import sys
from pathlib import Path

import pytest

from watcher.errors import CodeNeeded
from watcher.sign_in.browser import find_chromium, open_browser

HERE = frozenset({"127.0.0.1"})


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
