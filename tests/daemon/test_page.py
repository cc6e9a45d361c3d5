"""The page's process: started by the first request, watched, and ended, while checks go on."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.daemon.running_daemon import RunningDaemon, running_daemon
from tests.servers.running import free_port
from tests.support.waiting import eventually
from tests.web.serving import LOOPBACK, Client

TOKEN = "a-long-random-text"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as workspace:
        yield workspace


@contextmanager
def resting(workspace: ApiWorkspace, sections: str) -> Iterator[RunningDaemon]:
    workspace.configure(sections)
    with running_daemon(workspace) as daemon:
        daemon.until_it_rests()
        yield daemon


@contextmanager
def health(workspace: ApiWorkspace) -> Iterator[tuple[RunningDaemon, Client]]:
    """A daemon at rest that answers /healthz, with a client."""
    port = free_port()
    with resting(workspace, f'[health]\nlisten = "{LOOPBACK}:{port}"') as daemon:
        yield daemon, Client(port)


def make_due(workspace: ApiWorkspace) -> None:
    with workspace.app() as app:
        app.store.accounts.set_next_read("family", app.clock.now())


class TestProcess:
    def test_it_starts_with_the_first_request_and_ends_when_nobody_asks(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client):
            assert not daemon.pages()
            for _ in range(2):
                assert client.get("/healthz").status == 200
                (page,) = daemon.pages()
                assert client.get("/metrics").status == 200
                assert daemon.pages() == [page]
                assert eventually(lambda: not daemon.pages()), daemon.log
            assert "page_died" not in daemon.log

    def test_connection_without_a_request_starts_it_too_and_does_not_keep_it(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client):
            for _ in range(5):
                client.connect().close()
            assert eventually(daemon.pages), daemon.log
            assert eventually(lambda: not daemon.pages()), daemon.log

    def test_daemon_ends_at_once_with_it(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client), client.connect() as idle:
            assert client.get("/healthz").status == 200
            (page,) = daemon.pages()
            signaled_at = time.monotonic()
            daemon.signal(signal.SIGTERM)
            assert daemon.process.wait(30) == 0
            assert time.monotonic() - signaled_at < 1
            assert not page.is_running()
            assert idle.recv(1) == b""
            with pytest.raises(ConnectionRefusedError):
                client.get("/healthz")

    def test_it_ends_with_its_supervisor_and_the_next_one_takes_its_address(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (first, client):
            assert client.get("/healthz").status == 200
            (page,) = first.pages()
            first.process.kill()
            with running_daemon(workspace) as second:
                second.until_it_rests()
                assert not page.is_running() or page.status() == psutil.STATUS_ZOMBIE
                assert client.get("/healthz").status == 200

    def test_signals_for_the_daemon_do_not_end_it(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client):
            assert client.get("/healthz").status == 200
            (page,) = daemon.pages()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                page.send_signal(number)
            assert client.get("/healthz").status == 200
            assert daemon.pages() == [page]


class TestFailures:
    def test_one_that_is_killed_is_followed_by_another(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client):
            assert client.get("/healthz").status == 200
            daemon.pages()[0].kill()
            assert eventually(lambda: "page_died" in daemon.log), daemon.log
            assert client.get("/healthz").status == 200

    def test_one_that_hangs_is_killed_and_holds_up_no_check(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client):
            assert client.get("/healthz").status == 200
            daemon.pages()[0].send_signal(signal.SIGSTOP)
            make_due(workspace)
            assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log
            assert "page_hangs" not in daemon.log
            assert eventually(lambda: "page_hangs" in daemon.log), daemon.log
            assert client.get("/healthz").status == 200

    def test_one_that_cannot_start_is_reported_and_checks_go_on(self, workspace: ApiWorkspace, tmp_path: Path) -> None:
        port = free_port()
        (tmp_path / "cert.pem").write_text("no certificate")
        web = f'[web]\nlisten = "{LOOPBACK}:{port}"\ntls_cert = "cert.pem"\ntls_key = "cert.pem"'
        with resting(workspace, web) as daemon, Client(port).connect():
            assert eventually(lambda: daemon.log.count("page_died") > 1), daemon.log
            assert "web.tls_cert" in daemon.log
            make_due(workspace)
            assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log

    def test_daemon_that_hangs_is_a_503(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client):
            assert client.get("/healthz").status == 200
            daemon.signal(signal.SIGSTOP)
            answer = client.get("/healthz")
            assert (answer.status, json.loads(answer.body)["reason"]) == (503, "`watcher run` does not answer")
            daemon.signal(signal.SIGCONT)
            assert eventually(lambda: client.get("/healthz").status == 200)


class TestConfiguration:
    def test_reload_moves_it(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, client):
            assert client.get("/healthz").status == 200
            moved = Client(free_port())
            workspace.configure(f'[health]\nlisten = "{LOOPBACK}:{moved.port}"\ntoken = "{TOKEN}"')
            daemon.signal(signal.SIGHUP)
            assert eventually(lambda: "configuration_reloaded" in daemon.log), daemon.log
            assert eventually(lambda: refuses(client)), daemon.log
            assert moved.get("/healthz").status == 401
            assert moved.get("/healthz", Authorization=f"Bearer {TOKEN}").status == 200

    def test_used_address_is_reported_on_reload_and_the_daemon_goes_on(self, workspace: ApiWorkspace) -> None:
        with health(workspace) as (daemon, _client), socket.create_server((LOOPBACK, 0)) as taken:
            workspace.configure(f'[health]\nlisten = "{LOOPBACK}:{taken.getsockname()[1]}"')
            daemon.signal(signal.SIGHUP)
            assert eventually(lambda: "page_unavailable" in daemon.log), daemon.log
            make_due(workspace)
            assert eventually(lambda: len(workspace.api.case_requests) == 2), daemon.log


class TestPages:
    def test_page_and_health_are_served_by_one_process(self, workspace: ApiWorkspace) -> None:
        page, pages_of_health = Client(free_port()), Client(free_port())
        web = f'[web]\nlisten = "{LOOPBACK}:{page.port}"'
        with resting(workspace, f'{web}\n[health]\nlisten = "{LOOPBACK}:{pages_of_health.port}"') as daemon:
            answer = page.get("/", Host=f"{LOOPBACK}:{page.port}")
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["content-type"].startswith("text/html")
            assert pages_of_health.get("/healthz").status == 200
            assert len(daemon.pages()) == 1
            assert page.get("/healthz").status != 200, "without a token, a proxy might hide who asks"
            assert page.get("/static/page.css").status == 200

    def test_health_is_beside_the_page_with_a_token(self, workspace: ApiWorkspace) -> None:
        page = Client(free_port())
        web = f'[web]\nlisten = "{LOOPBACK}:{page.port}"\nurl = "https://example.org/watcher"'
        with resting(workspace, f'{web}\n[health]\ntoken = "{TOKEN}"'):
            for path in ("/healthz", "/watcher/healthz"):
                assert page.get(path).status == 401
                assert page.get(path, Authorization=f"Bearer {TOKEN}").status == 200


def refuses(client: Client) -> bool:
    try:
        client.get("/healthz")
    except OSError:
        return True
    return False
