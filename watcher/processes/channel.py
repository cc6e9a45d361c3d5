"""Messages between two processes on this machine: JSON objects, one on each line, over a pair of sockets."""

import json
import select
import socket
import struct
from collections.abc import Mapping
from threading import Lock
from typing import Any, TypeAlias

SEND_TIMEOUT = 10
"""Seconds in which the other process must take a message from the socket; a process that hangs does not."""

_CHUNK = 64 * 1024

Message: TypeAlias = Mapping[str, Any]


class Channel:
    """One end of a pair of sockets. Any thread may send; only one may receive.

    If the other process ends, `receive` raises `EOFError` and `send` raises OSError.
    """

    def __init__(self, connection: socket.socket) -> None:
        """Use a blocking socket, and close it with the channel."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_TIMEOUT, 0))
        self._connection, self._sending = connection, Lock()
        self._received = bytearray()

    def fileno(self) -> int:
        """Return the descriptor, for `selectors`."""
        return self._connection.fileno()

    def send(self, message: Message) -> None:
        """Send a message. Raises OSError if the other process has ended or does not take it in time."""
        line = json.dumps(message).encode() + b"\n"
        with self._sending:
            self._connection.sendall(line)

    def receive(self, timeout: float | None = None) -> Message | None:
        """Return the next message; None if there is none within `timeout` seconds. Raises `EOFError` at the end."""
        searched = 0
        while (end := self._received.find(b"\n", searched)) < 0:
            searched = len(self._received)
            if not self._is_readable(timeout):
                return None
            self._read()
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        """Close this end, which the other process notices."""
        self._connection.close()

    def _is_readable(self, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def _read(self) -> None:
        try:
            chunk = self._connection.recv(_CHUNK)
        except ConnectionError:
            chunk = b""
        if not chunk:
            raise EOFError
        self._received += chunk
