"""`watcher web serve`, `watcher demo --web`, and the link that `watcher run` prints."""

import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.running import free_port
from tests.support.workspace import Workspace
from tests.web.serving import LOOPBACK, Client, listening_socket
from watcher.model.web import KeyKind
from watcher.store.database.daemon_lock import daemon_holds

SIGN_IN = re.compile(r"http://127\.0\.0\.1:(\d+)(/sign-in/[\w-]{43})\n")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(folder=tmp_path)


def started(workspace: Workspace, *arguments: str) -> "subprocess.Popen[str]":
    return running(workspace, workspace.command(*arguments))


def running(workspace: Workspace, command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        cwd=workspace.folder,
        env=workspace.environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def printed_until(process: "subprocess.Popen[str]", wanted: str) -> str:
    """Return what the process prints, up to a line with these words."""
    assert process.stdout is not None
    lines: list[str] = []
    while not (lines and wanted in lines[-1]):
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    return "".join(lines)


def ended(process: "subprocess.Popen[str]", number: int = signal.SIGINT) -> tuple[int, float, str]:
    """Send a signal. Return the exit status, the seconds until the end, and what was printed since."""
    signaled_at = time.monotonic()
    process.send_signal(number)
    rest, _ = process.communicate(timeout=20)
    return process.returncode, time.monotonic() - signaled_at, rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_page_alone_is_served_until_it_is_told_to_end(workspace: Workspace, number: int) -> None:
    client = Client(free_port())
    workspace.write(f'[web]\nlisten = "{LOOPBACK}:{client.port}"\n[health]\ntoken = "a-long-random-text"\n')
    link = SIGN_IN.search(workspace.run("web", "link").out)
    assert link is not None
    with started(workspace, "web", "serve") as process:
        assert f"http://{LOOPBACK}:{client.port}" in printed_until(process, "Ctrl-C")
        host = f"{LOOPBACK}:{client.port}"
        assert client.get(link[2], Host=host).status == 200
        assert client.get("/healthz", Authorization="Bearer a-long-random-text").status == 503
        assert client.get("/", Host="evil.example.org").status == 421
        with client.connect():
            status, seconds, rest = ended(process, number)
    assert (status, rest) == (0, "")
    assert seconds < 2


def test_page_alone_needs_the_section(workspace: Workspace) -> None:
    workspace.write("")
    assert "The page is off." in workspace.run("web", "serve", expect=(2,)).err


def test_used_address_is_reported(workspace: Workspace) -> None:
    with closing(listening_socket()) as taken:
        workspace.write(f'[web]\nlisten = "{LOOPBACK}:{taken.getsockname()[1]}"\n')
        assert "web.listen: 127.0.0.1:" in workspace.run("web", "serve", expect=(1,)).err


def test_demo_shows_its_case_until_it_is_told_to_end(workspace: Workspace) -> None:
    workspace.write("")
    code = "import sys, pathlib; from watcher.cli.setup.demo import show_page; show_page(pathlib.Path(sys.argv[1]))"
    with running(workspace, [sys.executable, "-c", code, str(workspace.config)]) as process:
        link = SIGN_IN.search(printed_until(process, "Ctrl-C"))
        assert link is not None
        client = Client(int(link[1]))
        assert client.get(link[2], Host=f"{LOOPBACK}:{client.port}").status == 200
        assert daemon_holds(workspace.database)  # so the page does not say that nothing is checked
        assert ended(process)[0] == 0


def test_daemon_prints_a_link_while_nobody_can_enter(workspace: Workspace) -> None:
    workspace.write(f'[web]\nlisten = "{LOOPBACK}:{free_port()}"\n')
    with started(workspace, "run", "--sign-in-link") as process:
        assert SIGN_IN.search(printed_until(process, "daemon_started"))
        ended(process, signal.SIGTERM)
    with workspace.app() as app:
        (link,) = app.store.web.keys(KeyKind.LINK)
        app.store.web.add(KeyKind.DEVICE, "a" * 43, now=app.clock.now())
        assert link.person is None
    with started(workspace, "run", "--sign-in-link") as process:
        assert "sign-in" not in printed_until(process, "daemon_started")
        ended(process, signal.SIGTERM)
