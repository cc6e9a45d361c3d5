"""`/healthz` and `/metrics` over HTTP, for the machine's own eyes or, with a token, for others'.

Nothing here is worth attacking and nothing can be sent to it: two pages, no request body, few connections at once,
each with a deadline for its whole request. Without a token only names of this machine are answered to, so that a page
in somebody's browser that has its own name point here (DNS rebinding) learns nothing.
"""

import hmac
import io
import json
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

import structlog
from pydantic import SecretStr

from watcher.errors import StoreUnusable, WatcherError, os_error_text
from watcher.monitoring.metrics import CONTENT_TYPE
from watcher.monitoring.service_status import ServiceStatus, status_json
from watcher.settings.addresses import is_loopback

_AT_ONCE = 8
_DEADLINE = 5.0
_LOOK_UP = 30.0
_JSON = "application/json; charset=utf-8"
_PAGES = ("/healthz", "/metrics")
_log = structlog.get_logger(__name__)

Response = tuple[HTTPStatus, str, bytes]
"""Status, media type, body."""


class HealthServer:
    """Serves until `stop`, in threads of its own."""

    def __init__(
        self,
        listen: str,
        *,
        token: SecretStr | None,
        condition: Callable[[], ServiceStatus],
        metrics: Callable[[], bytes],
    ) -> None:
        """Takes the address, "127.0.0.1:8787", and answers nobody yet.

        `condition` and `metrics` may raise `StoreUnusable`. Raises `WatcherError` where the address cannot be had.
        """
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname or "", parts.port or 0
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._server = _Server(family, (host, port), partial(_Request, _Pages(token, condition, metrics)))
        except OSError as error:
            reason = os_error_text(error)
            raise WatcherError(f"health.listen: {listen}: {reason}; choose an address that is free") from None
        self._thread = Thread(target=self._serve, name="health", daemon=True)
        self._stopped = False

    @property
    def port(self) -> int:
        """The port in use, where the configuration left it to the system (0)."""
        port: int = self._server.socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Answers from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Takes no more connections and gives the address back."""
        self._stopped = True
        with suppress(OSError):  # not every system lets a listening socket be shut down; closing it does then
            self._server.socket.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._server.server_close()

    def _serve(self) -> None:
        """Sleeps until somebody asks: `serve_forever` would wake twice a second for nothing."""
        while not self._stopped:
            self._server.handle_request()


class _Pages:
    """What is answered to whom."""

    def __init__(
        self, token: SecretStr | None, condition: Callable[[], ServiceStatus], metrics: Callable[[], bytes]
    ) -> None:
        self._token, self._condition, self._metrics = token, condition, metrics

    def answer(self, path: str, *, host: str, authorization: str) -> Response:
        if not self._may_ask(host, authorization):
            status = HTTPStatus.UNAUTHORIZED if self._token else HTTPStatus.FORBIDDEN
            return _trouble(status, "a bearer token is needed" if self._token else "ask for a name of this machine")
        if path not in _PAGES:
            return _trouble(HTTPStatus.NOT_FOUND, f"there are {' and '.join(_PAGES)}")
        try:
            return self._health() if path == "/healthz" else (HTTPStatus.OK, CONTENT_TYPE, self._metrics())
        except StoreUnusable:
            return _trouble(HTTPStatus.SERVICE_UNAVAILABLE, "the database cannot be read; see the log")

    def _may_ask(self, host: str, authorization: str) -> bool:
        if self._token is None:
            return is_loopback(f"//{host}")
        scheme, _, shown = authorization.partition(" ")
        right = self._token.get_secret_value().encode()
        return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode("latin-1"), right)

    def _health(self) -> Response:
        condition = self._condition()
        status = HTTPStatus.OK if condition.healthy else HTTPStatus.SERVICE_UNAVAILABLE
        return status, _JSON, _document(status_json(condition))


def _trouble(status: HTTPStatus, reason: str) -> Response:
    return status, _JSON, _document({"status": "unknown", "reason": reason})


def _document(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"


class _Server(ThreadingHTTPServer):
    """Takes few connections at once; those beyond are closed, as nobody honest has so many."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = _AT_ONCE
    timeout = _LOOK_UP

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], request: Callable[..., Any]) -> None:
        self.address_family = family
        self._places = BoundedSemaphore(_AT_ONCE)
        super().__init__(address, request)

    def server_bind(self) -> None:
        """As HTTPServer does, without asking the name service what this machine is called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - its signature
        _log.debug("a health request broke off", exc_info=True)


class _Patient(io.RawIOBase):
    """Reads from a connection until a deadline for all of it: one byte now and then does not stretch it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._until = connection, time.monotonic() + _DEADLINE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Request(BaseHTTPRequestHandler):
    """One request on a connection of its own."""

    server_version, sys_version = "case-watcher", ""
    timeout = _DEADLINE

    def __init__(self, pages: _Pages, *arguments: Any) -> None:
        self._pages = pages
        super().__init__(*arguments)

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Patient(self.connection))

    def do_GET(self) -> None:
        self._reply(with_body=True)

    def do_HEAD(self) -> None:
        self._reply(with_body=False)

    def _reply(self, *, with_body: bool) -> None:
        host, authorization = self.headers.get("Host", ""), self.headers.get("Authorization", "")
        status, kind, body = self._pages.answer(urlsplit(self.path).path, host=host, authorization=authorization)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - http.server's signature
        """Whoever asks is asked nothing: a health check every few seconds is no news."""
