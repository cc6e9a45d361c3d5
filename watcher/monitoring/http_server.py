"""`/healthz` and `/metrics` over HTTP, for this machine or, with a token, for others.

The attack surface is small: two pages, no request body, few connections at once, each with a deadline for the whole
request. Without a token, only requests to a name of this machine are answered, so that a web page whose name points
here (DNS rebinding) learns nothing.
"""

import hmac
import io
import json
import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any
from urllib.parse import urlsplit

from watcher.errors import StoreUnusable, WatcherError, os_error_text
from watcher.monitoring.metrics import CONTENT_TYPE, Counters, exposition
from watcher.monitoring.service_status import ServiceStatus, status_json
from watcher.text.loopback import is_loopback

_MAX_CONNECTIONS = 8
_DEADLINE = 5.0
_ACCEPT_TIMEOUT = 30.0
_JSON = "application/json; charset=utf-8"
_PAGES = ("/healthz", "/metrics")
_log = logging.getLogger(__name__)

Response = tuple[HTTPStatus, str, bytes]
"""Status, media type, body."""


class HealthServer:
    """An HTTP server with its own threads."""

    def __init__(
        self,
        listen: str,
        *,
        token: str | None,
        status: Callable[[], ServiceStatus],
        counters: Counters,
    ) -> None:
        """Bind the address, such as "127.0.0.1:8787". Requests are answered after `start`.

        `status` returns the status of this moment; it is called from the server's threads and may raise
        `StoreUnusable`. `token` must never be logged. Raises `WatcherError` if the address cannot be used.
        """
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname or "", parts.port or 0
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._server = _Server(family, (host, port), partial(_Request, _Pages(token, status, counters)))
        except OSError as error:
            raise WatcherError(
                f"health.listen: {listen}: {os_error_text(error)}; choose an address that is free"
            ) from None
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

    def answer(self, path: str, *, host: str, authorization: str) -> Response:
        if not self._is_authorized(host, authorization):
            status = HTTPStatus.UNAUTHORIZED if self._token else HTTPStatus.FORBIDDEN
            return _error(status, "a bearer token is needed" if self._token else "ask for a name of this machine")
        if path not in _PAGES:
            return _error(HTTPStatus.NOT_FOUND, f"there are {' and '.join(_PAGES)}")
        try:
            return self._health() if path == "/healthz" else self._metrics()
        except StoreUnusable:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "the database cannot be read; see the log")

    def _is_authorized(self, host: str, authorization: str) -> bool:
        if self._token is None:
            return is_loopback(f"//{host}")
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


class _Server(ThreadingHTTPServer):
    """A server that closes connections beyond a small number, which no legitimate client needs."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = _MAX_CONNECTIONS
    timeout = _ACCEPT_TIMEOUT

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], request: Callable[..., Any]) -> None:
        self.address_family = family
        self._slots = BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(address, request)

    def server_bind(self) -> None:
        """Bind like HTTPServer, but without a name service lookup of this machine's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

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

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._deadline = connection, time.monotonic() + _DEADLINE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(remaining)
        return self._connection.recv_into(buffer)


class _Request(BaseHTTPRequestHandler):
    """One request on its own connection."""

    server_version, sys_version = "case-watcher", ""
    timeout = _DEADLINE

    def __init__(self, pages: _Pages, *arguments: Any) -> None:
        self._pages = pages
        super().__init__(*arguments)

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_DeadlineReader(self.connection))

    def do_GET(self) -> None:
        self._reply(with_body=True)

    def do_HEAD(self) -> None:
        self._reply(with_body=False)

    def _reply(self, *, with_body: bool) -> None:
        host, authorization = self.headers.get("Host", ""), self.headers.get("Authorization", "")
        status, media_type, body = self._pages.answer(urlsplit(self.path).path, host=host, authorization=authorization)
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - http.server's signature
        """Log nothing: a health check every few seconds is not worth a line."""
