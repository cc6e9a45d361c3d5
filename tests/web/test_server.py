"""The server of the page against slow, silent, many, and malformed clients, over real connections."""

import asyncio
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trustme
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.web.serving import LOOPBACK, listening_socket, plain, serving
from watcher.errors import WatcherError
from watcher.web.protocol import Limits
from watcher.web.server import Server, Site

QUICK = Limits(connections=8, head_time=0.3, request_time=1.0)


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what the app is told of a request, after its body and the seconds in its query."""
    request = Request(scope, receive)
    body = await request.body()
    await asyncio.sleep(float(scope["query_string"] or 0))
    host = request.client.host if request.client else ""
    text = f"{scope['root_path']} {scope['path']} {scope['scheme']} {host} {len(body)}"
    await PlainTextResponse(text)(scope, receive, send)


async def long_answer(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    assert await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(200):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
    await send({"type": "http.response.body"})


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


def closed_after(connection: socket.socket) -> float:
    """Wait until the server closes the connection. Return the seconds."""
    start = time.monotonic()
    while not is_closed(connection):
        pass
    return time.monotonic() - start


class TestSlowClients:
    def test_silent_connection_is_closed(self) -> None:
        with serving(plain(told), limits=QUICK) as client, client.connect() as silent:
            assert closed_after(silent) < 5

    def test_slow_bytes_do_not_extend_the_deadline(self) -> None:
        with serving(plain(told), limits=QUICK) as client, client.connect() as slow:
            assert _seconds_of_sending(slow, b"G") < 5

    def test_slow_bytes_after_a_request_do_not_extend_the_deadline(self) -> None:
        with serving(plain(told), limits=QUICK) as client, client.connect() as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert slow.recv(65536)
            assert _seconds_of_sending(slow, b"G") < 5

    def test_slow_body_does_not_extend_the_deadline(self) -> None:
        with serving(plain(told), limits=QUICK) as client, client.connect() as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
            assert _seconds_of_sending(slow, b"x") < 5

    def test_answer_that_is_not_taken_does_not_extend_the_deadline(self) -> None:
        with serving(plain(long_answer), limits=QUICK) as client, client.connect() as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(QUICK.request_time + 0.2)
            assert closed_after(slow) < 5

    def test_request_that_takes_long_to_answer_is_not_slow(self) -> None:
        with serving(plain(told), limits=QUICK) as client:
            assert client.get("/?0.6").status == 200


def _seconds_of_sending(connection: socket.socket, data: bytes) -> float:
    start = time.monotonic()
    try:
        while time.monotonic() - start < 10:
            connection.sendall(data)
            time.sleep(0.02)
    except OSError:
        pass  # closed by the server
    return time.monotonic() - start


class TestManyClients:
    def test_thousand_connections_that_wait_do_not_stop_others(self) -> None:
        parts = [b"", b"GET /", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"]
        with serving(plain(told)) as client:
            connections = []
            for number in range(1000):
                connections.append(client.connect())
                connections[-1].sendall(parts[number % len(parts)])
            start = time.monotonic()
            assert client.get("/").status == 200
            assert time.monotonic() - start < 5
            for connection in connections:
                connection.close()

    def test_connections_whose_request_is_being_answered_are_kept(self) -> None:
        with serving(plain(told), limits=Limits(connections=4)) as client:
            asking = [client.connect() for _ in range(4)]
            for connection in asking:
                connection.sendall(b"GET /?0.5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.2)
            with client.connect() as another:
                assert is_closed(another)
            assert all(b"200 OK" in connection.recv(65536) for connection in asking)
            for connection in asking:
                connection.close()


class TestMalformed:
    @pytest.mark.parametrize(
        "request_bytes",
        [
            b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 10000 + b"\r\n",
            b"GET http://[ HTTP/1.1\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: localhost",
            b"GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            b"GET\r\n\r\n",
            b"\x16\x03\x01\x00\xa5\x01",
            b"\n" * 9,
        ],
    )
    def test_malformed_request_does_no_harm(self, request_bytes: bytes, caplog: pytest.LogCaptureFixture) -> None:
        with serving(plain(told), limits=QUICK) as client:
            with client.connect() as connection:
                connection.sendall(request_bytes)
                connection.shutdown(socket.SHUT_WR)
                closed_after(connection)
            assert client.get("/").status == 200
        assert not caplog.records


class TestEnd:
    def test_request_that_is_being_answered_is_finished(self) -> None:
        with serving(plain(told)) as client, client.connect() as asking, client.connect() as idle:
            asking.sendall(b"GET /?0.5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.1)
            client.stop()
            assert is_closed(idle)
            assert b"200 OK" in asking.recv(65536)
            start = time.monotonic()
            client.wait()
            assert time.monotonic() - start < 1, "the connection is not kept for another request"

    def test_request_that_takes_too_long_is_ended(self) -> None:
        with serving(plain(told), grace=0.2) as client, client.connect() as asking:
            asking.sendall(b"GET /?60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.1)
            start = time.monotonic()
            client.stop()
            assert is_closed(asking)
            client.wait()
            assert time.monotonic() - start < 5

    def test_nobody_asking_ends_it(self) -> None:
        with serving(plain(told), idle=0.3) as client:
            assert client.get("/").status == 200
            client.wait()
            with client.connect() as waiting:
                waiting.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    waiting.recv(1)


class TestProxies:
    @pytest.mark.parametrize(
        ("trusted", "expected"),
        [(["127.0.0.0/8"], "https 203.0.113.9"), (["10.0.0.1"], f"http {LOOPBACK}"), ([], "http")],
    )
    def test_forwarded_headers_are_believed_only_from_trusted_proxies(self, trusted: list[str], expected: str) -> None:
        with serving(plain(told, trusted_proxies=trusted)) as client:
            answer = client.get("/", **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})
        assert expected in answer.body

    @pytest.mark.parametrize("path", ["/watcher/cases", "/cases"])
    def test_prefix_is_taken_whether_the_proxy_removes_it_or_not(self, path: str) -> None:
        with serving(plain(told, prefix="/watcher")) as client:
            assert client.get(path).body.startswith("/watcher /watcher/cases ")

    def test_only_a_whole_part_of_the_path_is_the_prefix(self) -> None:
        with serving(plain(told, prefix="/watcher")) as client:
            assert client.get("/watchers").body.startswith("/watcher /watcher/watchers ")


@contextmanager
def certificate(folder: Path) -> Iterator[tuple[trustme.CA, tuple[Path, Path]]]:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    files = folder / "cert.pem", folder / "key.pem"
    issued.cert_chain_pems[0].write_to_path(files[0])
    issued.private_key_pem.write_to_path(files[1])
    yield authority, files


def test_certificate_is_used(tmp_path: Path) -> None:
    with (
        certificate(tmp_path) as (authority, files),
        serving(lambda listening: Site(listening=listening, app=told, certificate=files)) as client,
    ):
        context = ssl.create_default_context()
        authority.configure_trust(context)
        idle = [client.connect() for _ in range(200)]
        with context.wrap_socket(client.connect(), server_hostname="localhost") as connection:
            assert connection.version() == "TLSv1.3"
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b" https " in b"".join(iter(lambda: connection.recv(65536), b""))
        for each in idle:
            each.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificate_that_cannot_be_used_is_reported_with_its_key(content: str | None, tmp_path: Path) -> None:
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    if content:
        for file in files:
            file.write_text(content)
    with closing(listening_socket()) as listening, pytest.raises(WatcherError, match=r"web\.tls_cert: "):
        asyncio.run(_make(Site(listening=listening, app=told, certificate=files)))


async def _make(site: Site) -> None:
    Server([site], idle=None, grace=0.0)


def test_process_does_not_load_what_only_writing_needs() -> None:
    code = "import sys, watcher.web.site; print({'sqlalchemy', 'httpx', 'apprise'} & set(sys.modules))"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout == "set()\n"
