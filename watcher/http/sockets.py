"""Sockets that keep a deadline and hear the daemon stop.

httpx times each single wait, so a server that sends one byte now and then keeps a request alive for ever, and nothing
wakes a waiting thread when the daemon ends. Here every wait is a row of short ones, and between two of them the
deadline of the whole request and the stop event are looked at.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from threading import Event
from typing import Any, Self

import httpcore

_STRETCH = 0.5
_CONNECT_STRETCH = 3.0
_CONNECT_ATTEMPTS = 4


class Deadline(float):
    """How long one request may take in all, in seconds, and the event that ends the wait sooner.

    It travels through httpx as the timeout of every single step, and is a number so that it may.
    """

    __slots__ = ("_ends_at", "_stop")
    _ends_at: float
    _stop: Event

    def __new__(cls, seconds: float, stop: Event) -> Self:
        """Starts counting at once."""
        patience = super().__new__(cls, seconds)
        patience._ends_at = time.monotonic() + seconds
        patience._stop = stop
        return patience

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed or the daemon stops."""
        return time.monotonic() >= self._ends_at or self._stop.is_set()


def _over(timeout: float | None) -> bool:
    return isinstance(timeout, Deadline) and timeout.expired


class _Stream(httpcore.NetworkStream):
    """One connection, plain or TLS."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        connected.settimeout(_STRETCH)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while not _over(timeout):
            try:
                return self._socket.recv(max_bytes)
            except TimeoutError:
                continue
            except OSError:
                raise httpcore.ReadError("the connection broke off") from None
        raise httpcore.ReadTimeout("no complete answer in time")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            if _over(timeout):
                raise httpcore.WriteTimeout("the request could not be sent in time")
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                continue
            except OSError:
                raise httpcore.WriteError("the connection broke off") from None

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            wrapped = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            _shake_hands(wrapped, timeout)
        except ssl.SSLCertVerificationError as error:
            self._socket.close()
            raise httpcore.ConnectError(f"its certificate could not be verified ({error.verify_message})") from None
        except OSError:
            self._socket.close()
            raise httpcore.ConnectError("the TLS handshake failed") from None
        return _Stream(wrapped)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self._socket)
        return self._socket if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket) else None


def _shake_hands(wrapped: ssl.SSLSocket, timeout: float | None) -> None:
    wrapped.settimeout(_STRETCH)
    while True:
        try:
            return wrapped.do_handshake()
        except TimeoutError:
            if _over(timeout):
                wrapped.close()
                raise httpcore.ConnectTimeout("the TLS handshake took too long") from None
        except OSError:
            wrapped.close()
            raise


def _poll(waiting: socket.socket) -> bool:
    poll = select.poll()
    poll.register(waiting.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _select(waiting: socket.socket) -> bool:
    return bool(select.select([waiting], [], [], 0)[0])


# An idle connection with something to read has been closed by the other side. Windows has no poll(); elsewhere
# select() fails beyond file descriptor 1023.
_has_something: Callable[[socket.socket], bool] = _poll if hasattr(select, "poll") else _select


def _is_readable(waiting: socket.socket) -> bool:
    return waiting.fileno() < 0 or _has_something(waiting)


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens connections whose every wait keeps the request's `Deadline`."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Tries each address of the host, a few seconds at a time. Raises httpcore's `ConnectError` or `…Timeout`."""
        source = None if local_address is None else (local_address, 0)
        for _ in range(_CONNECT_ATTEMPTS):
            if _over(timeout):
                break
            try:
                connected = socket.create_connection((host, port), _CONNECT_STRETCH, source)
            except TimeoutError:
                continue
            except socket.gaierror as error:
                raise httpcore.ConnectError(f"its name could not be resolved ({error.strerror})") from None
            except OSError as error:
                raise httpcore.ConnectError(f"no connection ({error.strerror or 'network error'})") from None
            for option in ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *(socket_options or ())):
                connected.setsockopt(*option)
            return _Stream(connected)
        raise httpcore.ConnectTimeout("no connection in time")
