import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket
from threading import Barrier, Event, Thread

import pytest
import trustme

from tests.doubles.loopback import reply, serve
from tests.portals.context import FakeClock
from watcher.errors import PortalUnavailable
from watcher.http.client import PortalHttp
from watcher.http.transport import open_transport

HOST = "portal.example"


@contextmanager
def run_proxy(to: str) -> Iterator[tuple[str, list[str]]]:
    """Run a proxy that tunnels every CONNECT to one address; yield its address and the requests it received."""
    listener, requests = create_server(("127.0.0.1", 0)), list[str]()
    host, _, port = to.rpartition("//")[2].partition(":")

    def accept() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            requests.append(client.recv(65536).decode("latin-1"))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server = create_connection((host, int(port)))
            Thread(target=forward, args=(server, client), daemon=True).start()
            forward(client, server)

    thread = Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        with suppress(OSError):
            listener.shutdown(SHUT_RDWR)
        listener.close()
        thread.join(5)


def forward(source: socket, sink: socket) -> None:
    with suppress(OSError), source, sink:
        while data := source.recv(65536):
            sink.sendall(data)


@pytest.fixture(autouse=True)
def _no_proxy_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def portal(authority: trustme.CA, folder: Path) -> PortalHttp:
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    clock = FakeClock(datetime(2026, 11, 22, tzinfo=UTC))
    return PortalHttp(portal="A portal", hosts={HOST, "127.0.0.1"}, clock=clock, stop=Event(), ca_file=ca_file)


def tls_for(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://user:p%40ss@", "user:p%40ss@", ""])
def test_environment_proxy_sees_only_the_host(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    with (
        serve(lambda _: reply(200, b"hi"), tls_for(authority, HOST)) as server,
        run_proxy(server.origin) as (proxy, requests),
    ):
        monkeypatch.setenv(variable, f"{scheme}{proxy}")
        with portal(authority, tmp_path) as http:
            assert http.send("GET", f"https://{HOST}/secret", headers={"Authorization": "Bearer t"}).body == b"hi"
    (request,) = requests
    assert request.startswith(f"CONNECT {HOST}:443 ")
    assert "secret" not in request
    assert "Bearer" not in request
    assert ("Basic dXNlcjpwQHNz" in request) == bool(scheme)


def test_proxy_cannot_impersonate_the_portal(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        serve(lambda _: reply(200, b"hi"), tls_for(trustme.CA(), HOST)) as server,
        run_proxy(server.origin) as (proxy, _),
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with portal(authority, tmp_path) as http, pytest.raises(PortalUnavailable, match="certificate"):
            http.send("GET", f"https://{HOST}/")
    assert server.requests == []


def test_loopback_bypasses_the_proxy(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with serve(lambda _: reply(204), tls_for(authority, "127.0.0.1")) as server, portal(authority, tmp_path) as http:
        assert http.send("GET", server.origin).status == 204


def test_unsupported_proxy_scheme_is_reported(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with portal(authority, tmp_path) as http, pytest.raises(PortalUnavailable, match="not supported; use http://"):
        http.send("GET", f"https://{HOST}/")


def test_refusal_of_the_proxy_is_reported_as_such(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda _: reply(403)) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.origin)
        with portal(authority, tmp_path) as http, pytest.raises(PortalUnavailable, match="the proxy did not connect"):
            http.send("GET", f"https://{HOST}/")


def test_unreachable_proxy_is_unavailable(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:1")
    with portal(authority, tmp_path) as http, pytest.raises(PortalUnavailable) as caught:
        http.send("GET", f"https://{HOST}/")
    assert "secret" not in str(caught.value)


def tls_context(scheme: str, ca_file: Path | None = None) -> ssl.SSLContext:
    with open_transport(scheme, HOST, ca_file) as transport:
        context = transport._pool._ssl_context
        assert context is not None
        return context


def test_accounts_checked_concurrently_share_a_tls_context(authority: trustme.CA, tmp_path: Path) -> None:
    ca_file, accounts = tmp_path / "ca.pem", 8
    authority.cert_pem.write_to_path(str(ca_file))
    barrier = Barrier(accounts)

    def read(_: int) -> ssl.SSLContext:
        barrier.wait(10)
        return tls_context("https", ca_file)

    with ThreadPoolExecutor(accounts) as pool:
        assert len(set(pool.map(read, range(accounts)))) == 1


def test_plain_http_loads_no_certificates_and_still_verifies() -> None:
    context = tls_context("http")
    assert context.cert_store_stats()["x509_ca"] == 0
    assert context.verify_mode is ssl.CERT_REQUIRED
