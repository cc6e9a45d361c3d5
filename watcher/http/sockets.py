"""Sockets that enforce a deadline for the whole request and react when the daemon stops.

httpx limits each single wait, so a server that sends a byte now and then keeps a request alive forever, and nothing
wakes a waiting thread when the daemon ends. Here every wait is a series of short ones, and the deadline of the whole
request and the stop event are checked between them.
"""

import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from errno import EMFILE
from threading import Event
from typing import Any, Self

import httpcore

from watcher.errors import has_no_free_descriptor, system_reason
from watcher.http.response_head import MAX_HEAD, end_of_head, is_informational, tidy_head
from watcher.messages import _

_WAIT = 0.5
_CONNECT_WAIT = 3.0
_CONNECT_ATTEMPTS = 4


class Deadline(float):
    """The time that one request may take in all, in seconds, and the event after which it ends within `grace` seconds.

    httpx passes it on as the timeout of every step, which must be a number; hence a float.
    """

    __slots__ = ("_ends_at", "_grace", "_stop", "_stopping")
    _ends_at: float
    _grace: float
    _stop: Event
    _stopping: bool

    def __new__(cls, seconds: float, stop: Event, *, grace: float = 0.0) -> Self:
        """Start the time now."""
        deadline = super().__new__(cls, seconds)
        deadline._ends_at = time.monotonic() + seconds
        deadline._grace, deadline._stop, deadline._stopping = grace, stop, False
        return deadline

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed. When the daemon stops, it moves to `grace` from then."""
        if self._stop.is_set() and not self._stopping:
            self._ends_at, self._stopping = min(self._ends_at, time.monotonic() + self._grace), True
        return time.monotonic() >= self._ends_at

    def extensions(self) -> dict[str, Any]:
        """Return the extensions of an httpx request that has this deadline."""
        return {"timeout": {"connect": self, "read": self, "write": self, "pool": None}}


def _expired(timeout: float | None) -> bool:
    return isinstance(timeout, Deadline) and timeout.expired


class _Stream(httpcore.NetworkStream):
    """A connection, plain or TLS. What is received after something was sent begins with a response's head."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._awaits_head = False
        connection.settimeout(_WAIT)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._awaits_head:
            return self._receive(max_bytes, timeout)
        self._awaits_head = False
        return self._read_head(max_bytes, timeout)

    def _read_head(self, max_bytes: int, timeout: float | None) -> bytes:
        """Return the head of the response, tidied, and what arrived with it. An incomplete one is returned as it is."""
        tidied, received = b"", b""
        while True:
            end = end_of_head(received)
            if end is not None:
                head, received = received[:end], received[end:]
                tidied += tidy_head(head)
                if not is_informational(head):
                    return tidied + received
                continue
            data = self._receive(max_bytes, timeout)
            received += data
            if not data or len(received) > MAX_HEAD:
                return tidied + received

    def _receive(self, max_bytes: int, timeout: float | None) -> bytes:
        while not _expired(timeout):
            try:
                return self._socket.recv(max_bytes)
            except TimeoutError:
                continue
            except OSError:
                raise httpcore.ReadError(_("the connection was closed early")) from None
        raise httpcore.ReadTimeout(_("no complete answer in time"))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._awaits_head = True
        unsent = memoryview(buffer)
        while unsent:
            if _expired(timeout):
                raise httpcore.WriteTimeout(_("the request could not be sent in time"))
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except TimeoutError:
                continue
            except OSError:
                raise httpcore.WriteError(_("the connection was closed early")) from None

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            wrapped = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            _do_handshake(wrapped, timeout)
        except ssl.SSLCertVerificationError as error:
            self._socket.close()
            raise httpcore.ConnectError(
                _("its certificate cannot be verified ({reason})", reason=error.verify_message)
            ) from None
        except OSError:
            self._socket.close()
            raise httpcore.ConnectError(_("the TLS handshake failed")) from None
        return _Stream(wrapped)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self._socket)
        return self._socket if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket) else None


def _do_handshake(wrapped: ssl.SSLSocket, timeout: float | None) -> None:
    wrapped.settimeout(_WAIT)
    while True:
        try:
            return wrapped.do_handshake()
        except TimeoutError:
            if _expired(timeout):
                wrapped.close()
                raise httpcore.ConnectTimeout(_("the TLS handshake took too long")) from None
        except OSError:
            wrapped.close()
            raise


def _poll(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _select(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])


# An idle connection with data to read was closed by the server. Windows has no poll(); elsewhere select() fails for
# file descriptors above 1023.
_has_data: Callable[[socket.socket], bool] = _poll if hasattr(select, "poll") else _select


def _is_readable(connection: socket.socket) -> bool:
    return connection.fileno() < 0 or _has_data(connection)


def _connect_error(error: OSError) -> Exception:
    """Return what to raise. A lookup of a name fails without a reason if no file can be opened."""
    if has_no_free_descriptor():
        return OSError(EMFILE, os.strerror(EMFILE))
    if isinstance(error, socket.gaierror):
        return httpcore.ConnectError(_("its name cannot be resolved ({reason})", reason=system_reason(error)))
    return httpcore.ConnectError(_("no connection ({reason})", reason=system_reason(error) or _("network error")))


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens connections that obey the request's `Deadline` in every wait."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, trying a few seconds at a time. Raises httpcore's `ConnectError` or `ConnectTimeout`.

        Raises `OSError` if it is this process that can open no connection.
        """
        source = None if local_address is None else (local_address, 0)
        for _attempt in range(_CONNECT_ATTEMPTS):
            if _expired(timeout):
                break
            try:
                connection = socket.create_connection((host, port), _CONNECT_WAIT, source)
            except TimeoutError:
                continue
            except OSError as error:
                raise _connect_error(error) from None
            for option in ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *(socket_options or ())):
                connection.setsockopt(*option)
            return _Stream(connection)
        raise httpcore.ConnectTimeout(_("no connection in time"))
