"""A socket that listens at a configured address."""

import errno
import socket
import time
from urllib.parse import urlsplit

from watcher.errors import WatcherError, os_error_text
from watcher.messages import _

_BACKLOG = 128
_TIME, _PAUSE = 2.0, 0.05


def listening_socket(key: str, address: str) -> socket.socket:
    """Return a socket that listens at the address of a key. Waits a moment for an earlier process to leave it.

    Raises `WatcherError`.
    """
    parts, end = urlsplit(f"//{address}"), time.monotonic() + _TIME
    while True:
        try:
            return _bound(parts.hostname or "", parts.port or 0)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= end:
                reason = os_error_text(error)
                text = _("{key}: {address}: {reason}; choose another address", key=key, address=address, reason=reason)
                raise WatcherError(text) from None
        time.sleep(_PAUSE)


def _bound(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0], socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
