"""An HTTP/1.1 server on loopback with keep-alive, TLS, and a stop that closes every connection."""

import socket
import socketserver
import ssl
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from watcher.practice.site.exchange import Request, Response, plain

LOOPBACK = "127.0.0.1"
_MAX_BODY = 64 * 1024


class LoopbackServer(ThreadingHTTPServer):
    """Serves `answer` on loopback, each connection in its own thread, from `start` until `stop`.

    `port` 0 selects a free port. With a `context` it uses TLS; the handshake runs in the connection's thread.
    """

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Response], *, port: int, context: ssl.SSLContext | None) -> None:
        """Listen at once; requests are answered after `start`."""
        self.answer = answer
        self.stopping = Event()
        self._open = set[socket.socket]()
        self._open_lock = Lock()
        super().__init__((LOOPBACK, port), _Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="practice-portal")

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection, slow responses included, and wait for the threads."""
        self.stopping.set()
        if self._thread.ident is not None:
            self.shutdown()
            self._thread.join()
        with self._open_lock:
            for connection in self._open:
                _close(connection)
        self.server_close()

    def server_bind(self) -> None:
        """Bind without a reverse lookup of the loopback address."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.port

    def process_request(self, request: Any, client_address: Any) -> None:
        """Register the connection, so that `stop` can close it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Unregister the connection before it is closed."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect or reject the certificate; print any other error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    server_version = "practice"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Complete the TLS handshake first."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        """Answer a GET request."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST request."""
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name in the standard library
        """Log nothing; the portal has its own log."""

    def _answer(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(plain("The body is too long or has no proper length.", status=413))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        self._send(self.server.answer(request))

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > _MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def _send(self, answer: Response) -> None:
        if answer.delay:
            self.server.stopping.wait(answer.delay)
        self.close_connection = self.close_connection or answer.cut_off or answer.silent
        if not answer.silent:
            self._write(answer)

    def _write(self, answer: Response) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut_off else answer.body)


def _close(connection: socket.socket) -> None:
    """Shut the socket down, so that its thread reads an end of file.

    `SSLSocket.shutdown` would remove the TLS object that the thread is reading with; the plain method does not.
    """
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # already closed by the client
