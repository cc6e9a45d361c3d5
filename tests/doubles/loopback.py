"""A loopback server whose responses a function returns byte for byte, so that it can misbehave like a portal."""

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from errno import EMFILE
from http.client import responses
from io import BufferedReader
from socket import SHUT_RDWR, create_server, socket
from typing import TypeAlias
from urllib.parse import parse_qs


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as it arrived; header names in lower case. `port` is the client's."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    port: int = 0

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}


BodyChunks: TypeAlias = bytes | Iterable[bytes]


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP response; `retry_after="1"` becomes the header `retry-after`."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass(slots=True, kw_only=True)
class LoopbackServer:
    """A running server and the requests that it received."""

    origin: str
    requests: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0


@contextmanager
def serve(
    handler: Callable[[ReceivedRequest], BodyChunks], tls: ssl.SSLContext | None = None
) -> Iterator[LoopbackServer]:
    """Run the server until the context is left. What `handler` returns is sent chunk by chunk."""
    listener = create_server(("127.0.0.1", 0))
    scheme = "http" if tls is None else "https"
    server = LoopbackServer(origin=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    connections: list[socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError as error:
                if error.errno == EMFILE:
                    continue  # a test has taken the descriptors of this process, for a moment
                return
            connections.append(connection)
            threading.Thread(target=_handle_connection, args=(connection, tls, handler, server), daemon=True).start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        for open_socket in (listener, *connections):
            with suppress(OSError):  # the client may have closed it first
                open_socket.shutdown(SHUT_RDWR)
            open_socket.close()
        acceptor.join(5)


def _handle_connection(
    connection: socket,
    tls: ssl.SSLContext | None,
    handler: Callable[[ReceivedRequest], BodyChunks],
    server: LoopbackServer,
) -> None:
    try:
        wire = connection if tls is None else tls.wrap_socket(connection, server_side=True)
        server.connections += 1
        port = wire.getpeername()[1]
        with wire, wire.makefile("rb") as incoming:
            while (request := _next_request(incoming, port)) is not None:
                server.requests.append(request)
                body = handler(request)
                for chunk in (body,) if isinstance(body, bytes) else body:
                    wire.sendall(chunk)
                if request.headers.get("connection") == "close" or not isinstance(body, bytes):
                    return
    except (OSError, ValueError):
        return  # the client hung up, rejected the certificate, or sent something else; its own tests check that


def _next_request(incoming: BufferedReader, port: int) -> ReceivedRequest | None:
    first = incoming.readline()
    if not first:
        return None
    method, target, _ = first.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := incoming.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = incoming.read(int(headers.get("content-length", "0")))
    return ReceivedRequest(method=method, target=target, headers=headers, body=body, port=port)
