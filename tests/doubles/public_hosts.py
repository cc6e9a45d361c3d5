"""A proxy that answers for public host names, so that commands run as written and reach only test servers."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket
from threading import Thread

import trustme


@contextmanager
def public_hosts(upstreams: Mapping[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """Answer HTTPS requests to each host from its upstream, the origin of a plain HTTP server on loopback.

    Yield environment variables that lead httpx, requests, and curl to this proxy and let them trust its certificates;
    `folder` holds the authority's certificate. Every other host is refused.
    """
    authority = trustme.CA()
    certificate = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    identities = {host: _identity(authority, host) for host in upstreams}
    listener = create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = listener.accept()
                Thread(target=_answer, args=(client, upstreams, identities), daemon=True).start()

    acceptor = Thread(target=accept, daemon=True)
    acceptor.start()
    proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), str(certificate)),
        }
    finally:
        with suppress(OSError):
            listener.shutdown(SHUT_RDWR)
        listener.close()
        acceptor.join(5)


def _identity(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def _answer(client: socket, upstreams: Mapping[str, str], identities: Mapping[str, ssl.SSLContext]) -> None:
    with client.makefile("rb") as incoming:
        target = incoming.readline().split(b" ")[1].decode("latin-1")
        while incoming.readline().strip():
            pass
    host = target.rpartition(":")[0]
    if host not in upstreams:
        client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
        client.close()
        return
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    name, _, port = upstreams[host].rpartition("//")[2].partition(":")
    with suppress(OSError), identities[host].wrap_socket(client, server_side=True) as connection:
        server = create_connection((name, int(port)))
        Thread(target=_forward, args=(server, connection), daemon=True).start()
        _forward(connection, server)


def _forward(source: socket, sink: socket) -> None:
    with suppress(OSError), source, sink:
        while data := source.recv(65536):
            sink.sendall(data)
