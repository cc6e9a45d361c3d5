"""`/healthz` and `/metrics` over HTTP, for this machine or, with a token, for others.

The attack surface is small: two pages, no request body, few connections at once, each with a deadline for the whole
request. Without a token, only requests to a name of this machine are answered, so that a web page whose name points
here (DNS rebinding) learns nothing.

It does not use the standard library's `http.server`, which imports an HTTP client with TLS and mail: 7 MiB, a third of
the process that is always there.
"""

import io
import json
import logging
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import BoundedSemaphore, Thread
from typing import Any
from urllib.parse import urlsplit

from watcher.errors import StoreUnusable, WatcherError, os_error_text
from watcher.messages import _
from watcher.monitoring.metrics import CONTENT_TYPE, Counters, exposition
from watcher.monitoring.service_status import ServiceStatus, status_json
from watcher.text.loopback import is_loopback

_MAX_CONNECTIONS = 8
_DEADLINE = 5.0
_ACCEPT_TIMEOUT = 600.0  # a closed socket ends the wait, except on systems that cannot shut down a listening one
_MAX_LINE, _MAX_HEADERS = 8192, 100
_JSON = "application/json; charset=utf-8"
_PAGES = ("/healthz", "/metrics")
_log = logging.getLogger(__name__)

Response = tuple[HTTPStatus, str, bytes]
"""Status, media type, body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A request without its body. Names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


class HealthServer:
    """An HTTP server with its own threads."""

    def __init__(
        self,
        listen: str,
        *,
        token: str | None,
        status: Callable[[], ServiceStatus],
        counters: Counters,
        deadline: float = _DEADLINE,
    ) -> None:
        """Bind the address, such as "127.0.0.1:8787". Requests are answered after `start`.

        A connection is closed if its request has not arrived `deadline` seconds (monotonic) after it was accepted.
        `status` returns the status of this moment; it is called from the server's threads and may raise
        `StoreUnusable`. `token` must never be logged. Raises `WatcherError` if the address cannot be used.
        """
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname or "", parts.port or 0
        pages = _Pages(token, status, counters)
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._server = _Server(family, (host, port), partial(_Connection, pages, deadline))
        except OSError as error:
            reason = os_error_text(error)
            text = _("health.listen: {address}: {reason}; choose another address", address=listen, reason=reason)
            raise WatcherError(text) from None
        self._thread = Thread(target=self._serve, name="health", daemon=True)
        self._stopped = False

    @property
    def port(self) -> int:
        """The port in use; the system chooses one if the configuration says 0."""
        port: int = self._server.socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Start to answer requests."""
        self._thread.start()

    def stop(self) -> None:
        """Refuse further connections and release the address."""
        self._stopped = True
        with suppress(OSError):  # some systems cannot shut down a listening socket; closing it is enough there
            self._server.socket.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._server.server_close()

    def _serve(self) -> None:
        """Wait for requests without polling; `serve_forever` would wake twice a second."""
        while not self._stopped:
            self._server.handle_request()


class _Pages:
    """The responses."""

    def __init__(self, token: str | None, status: Callable[[], ServiceStatus], counters: Counters) -> None:
        self._token, self._status, self._counters = token, status, counters

    def answer(self, request: _Request) -> Response:
        """Return the response. Raises ValueError for an invalid target."""
        if request.method not in {"GET", "HEAD"}:
            return _error(HTTPStatus.NOT_IMPLEMENTED, "only GET and HEAD are answered")
        path = urlsplit(request.target).path
        if not self._is_authorized(request.headers.get("host", ""), request.headers.get("authorization", "")):
            status = HTTPStatus.UNAUTHORIZED if self._token else HTTPStatus.FORBIDDEN
            return _error(status, "this address needs a bearer token" if self._token else "use a name of this machine")
        if path not in _PAGES:
            return _error(HTTPStatus.NOT_FOUND, f"the pages are {' and '.join(_PAGES)}")
        try:
            return self._health() if path == "/healthz" else self._metrics()
        except StoreUnusable:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "the database cannot be read; see the log")

    def _is_authorized(self, host: str, authorization: str) -> bool:
        if self._token is None:
            return is_loopback(f"//{host}")
        import hmac  # noqa: PLC0415 - loads OpenSSL: 4 MiB

        scheme, _, token = authorization.partition(" ")
        expected = self._token.encode()
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode("latin-1"), expected)

    def _health(self) -> Response:
        status = self._status()
        code = HTTPStatus.OK if status.healthy else HTTPStatus.SERVICE_UNAVAILABLE
        return code, _JSON, _document(status_json(status))

    def _metrics(self) -> Response:
        return HTTPStatus.OK, CONTENT_TYPE, exposition(self._status(), self._counters)


def _error(status: HTTPStatus, reason: str) -> Response:
    return status, _JSON, _document({"status": "unknown", "reason": reason})


def _document(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"


class _Server(ThreadingTCPServer):
    """A server that closes connections beyond a small number, which no legitimate client needs."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = _MAX_CONNECTIONS
    timeout = _ACCEPT_TIMEOUT

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], connection: Callable[..., Any]) -> None:
        self.address_family = family
        self._slots = BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(address, connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - its signature
        _log.debug("health_request_failed", exc_info=True)


class _DeadlineReader(io.RawIOBase):
    """Reads a connection with one deadline for the whole request, which slow single bytes do not extend."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._deadline = connection, time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(remaining)
        return self._connection.recv_into(buffer)


class _Connection(BaseRequestHandler):
    """A connection with one request. Slow ones are closed without a response."""

    def __init__(self, pages: _Pages, deadline: float, *arguments: Any) -> None:
        self._pages, self._deadline = pages, deadline
        super().__init__(*arguments)

    def handle(self) -> None:
        method = ""
        try:
            request = _read_request(io.BufferedReader(_DeadlineReader(self.request, self._deadline)))
            method, response = request.method, self._pages.answer(request)
        except ValueError:
            response = _error(HTTPStatus.BAD_REQUEST, "the request is not understood")
        self.request.settimeout(self._deadline)
        self.request.sendall(_response(response, with_body=method != "HEAD"))


def _read_request(stream: io.BufferedReader) -> _Request:
    """Read a request's first line and headers. Raises ValueError if they are invalid or too long, and OSError."""
    method, target, _version = _line(stream).split(" ")
    headers: dict[str, str] = {}
    for _number in range(_MAX_HEADERS):
        line = _line(stream)
        if not line:
            return _Request(method=method, target=target, headers=headers)
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), value.strip())
    raise ValueError("too many headers")


def _line(stream: io.BufferedReader) -> str:
    line = stream.readline(_MAX_LINE)
    if not line.endswith(b"\n"):
        raise ValueError("the line does not end")
    return line.rstrip(b"\r\n").decode("latin-1")


def _response(response: Response, *, with_body: bool) -> bytes:
    status, media_type, body = response
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Server: case-watcher",
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime())}",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *(["WWW-Authenticate: Bearer"] if status is HTTPStatus.UNAUTHORIZED else []),
    ]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head + body if with_body else head
