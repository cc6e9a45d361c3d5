"""Attacks on the page through its real server, on a real socket."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.web.family import MARIA, family, record
from tests.web.serving import LOOPBACK, Served, plain, serving
from tests.web.visiting import Site, a_site
from watcher.web.case_ids import case_id
from watcher.web.protocol import Limits

_UPLOAD = f"/cases/{case_id(MARIA)}/letter"
_MULTIPART = "multipart/form-data; boundary=x"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = a_site(tmp_path, accounts=family())
    record(site)
    return site


@pytest.fixture
def token(site: Site) -> str:
    return site.signed_in().client.cookies["watcher"]


@pytest.fixture
def server(site: Site) -> Iterator[Served]:
    with serving(plain(site.app), limits=Limits(head_time=2, request_time=5, keep_alive=2)) as served:
        yield served


def test_thousand_connections_do_not_keep_out_a_device(server: Served, token: str) -> None:
    parts = [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\ncsrf="]
    with ExitStack() as stack:
        for number in range(1000):
            stack.enter_context(server.connect()).sendall(parts[number % len(parts)])
        assert server.get("/devices", Cookie=f"watcher={token}").status == 200


def test_upload_of_two_gigabytes_is_answered_at_once(server: Served, token: str) -> None:
    with closing(HTTPConnection(LOOPBACK, server.port, timeout=10)) as connection:
        connection.putrequest("POST", _UPLOAD)
        headers = {"Cookie": f"watcher={token}", "Content-Type": _MULTIPART, "Content-Length": str(2 * 1024**3)}
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("connection")) == (413, "close")


def test_upload_without_a_session_is_not_waited_for(server: Served) -> None:
    with server.connect() as connection:
        head = (
            f"POST {_UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {_MULTIPART}\r\nContent-Length: 9999\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(15).startswith(b"HTTP/1.1 401 ")


def test_answer_names_no_server_and_no_file(server: Served) -> None:
    answer = server.get("/no-such-page")
    assert answer.status == 401
    assert "server" not in answer.headers
    assert "Traceback" not in answer.body


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\nHost: evil.example.org\r\n\r\n",
        "GET http://evil.example.org/ HTTP/1.1\r\nHost: evil.example.org\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Host: evil.example.org\r\nHost: evil.example.org\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /letters/%2e%2e%2fx HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_request_in_disguise_is_refused(server: Served, head: str) -> None:
    with server.connect() as connection:
        connection.sendall(head.encode())
        status = int(connection.recv(15).split()[1])
        assert status in {400, 401, 403, 421}


def test_forwarded_address_of_a_stranger_is_not_believed(site: Site, server: Served) -> None:
    answers = [
        server.get(f"/a/{number:024d}", **{"X-Forwarded-For": f"198.51.100.{number}"}).status for number in range(12)
    ]
    assert answers == [410] * 10 + [429] * 2
    with serving(plain(site.app, trusted_proxies=[LOOPBACK])) as behind:
        headers = {"X-Forwarded-For": "203.0.113.5"}
        assert behind.get("/a/000000000000000000000000", **headers).status == 410
