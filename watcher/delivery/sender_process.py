"""Delivery in a child process, for a daemon that runs for months and sends few messages.

Apprise and its plug-ins take half as much memory as the rest of the program, and Python never frees imported modules.
A child process loads them and ends after a time without messages; the next message starts another. A plug-in that
crashes or hangs affects only the child.

The child receives requests through a socket pair and handles them concurrently. It ends when the other end is closed,
even if the daemon was killed.
"""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Collection, Sequence
from itertools import count
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from pydantic import SecretStr

import watcher
from watcher.delivery.sender_child import Accepted, Reply, Request, serve
from watcher.errors import DeliveryFailed

_SEND_TIMEOUT = 5
"""Seconds in which the child must take a request from the socket."""


class _Pending:
    """A request that the child is working on."""

    def __init__(self, accepted_by: Collection[str]) -> None:
        self.reply: SimpleQueue[Reply] = SimpleQueue()
        self.accepted_by = set(accepted_by)


class SenderProcess:
    """A `Notifier` that sends through a child process. Thread-safe.

    `timeout` limits one message, in seconds, including the time to load Apprise for the first one. A child that exceeds
    it gets no further messages and ends after those it is sending. A child also ends after `idle` seconds without a
    message.
    """

    def __init__(self, *, timeout: float = 75.0, idle: float = 300.0) -> None:
        """Create it without starting a child."""
        self._timeout, self._idle = timeout, idle
        self._numbers = count(1)
        self._starting = Lock()
        self._child: _Child | None = None

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
    ) -> None:
        """Send as described in `Notifier.send`."""
        files = tuple(file.absolute() for file in attachments)
        self._call(
            "send",
            url,
            title=title,
            body=body,
            html=html,
            short=short,
            attachments=files,
            accepted_by=frozenset(accepted_by),
        )

    def can_attach(self, url: SecretStr) -> bool:
        """Return as described in `Notifier.can_attach`. Raises `DeliveryFailed` if the child does not answer."""
        return bool(self._call("can_attach", url))

    def close(self) -> None:
        """Kill the child, even if it is sending. Does not wait."""
        child = self._child
        if child is not None:
            child.kill()

    def _call(self, method: str, url: SecretStr, **arguments: Any) -> Any:
        request = Request(number=next(self._numbers), method=method, url=url.get_secret_value(), arguments=arguments)
        child, pending = self._submit(request)
        try:
            reply = pending.reply.get(timeout=self._timeout)
        except Empty:
            child.abandon(request)
            reply = Reply(number=request.number, error=f"no answer within {self._timeout:g} seconds")
        if reply.error is not None:
            raise DeliveryFailed(
                reply.error,
                permanent=reply.permanent,
                refused=reply.refused,
                retry_after=reply.retry_after,
                accepted_by=frozenset(pending.accepted_by),
            )
        return reply.value

    def _submit(self, request: Request) -> "tuple[_Child, _Pending]":
        """Send the request to the child, or to a new one if it has ended."""
        with self._starting:
            pending = self._child.submit(request) if self._child is not None else None
            if self._child is None or pending is None:
                self._child = self._start_child()
                pending = self._child.submit(request)
                self._child.listener.start()
            if pending is None:
                raise DeliveryFailed("the process that sends ended as it began")
            return self._child, pending

    def _start_child(self) -> "_Child":
        try:
            return _Child(self._idle)
        except OSError as error:
            raise DeliveryFailed(f"the process that sends cannot be started: {error.strerror}") from None


class _Child:
    """One child process. It accepts requests until it ends, at the latest after `idle` seconds without any.

    `listener` distributes its replies; start it after the first request was submitted.
    """

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._pending: dict[int, _Pending] = {}
        self._lock = Lock()
        self._ended = False
        self._connection, child_end = Pipe()
        _limit_send_time(self._connection)
        with child_end:
            self._process = _start(child_end.fileno())
        self.listener = Thread(target=self._listen, name="sender replies", daemon=True)

    def submit(self, request: Request) -> _Pending | None:
        """Send a request. Return what will get its reply; None if the child has ended."""
        pending = _Pending(request.arguments.get("accepted_by", ()))
        with self._lock:
            if self._ended:
                return None
            self._pending[request.number] = pending
            try:
                self._connection.send(request)
            except OSError:  # it has ended, or hangs and reads nothing more
                del self._pending[request.number]
                self.kill()
                return None
        return pending

    def abandon(self, request: Request) -> None:
        """Stop waiting for a reply. The child gets no further requests, because it may hang."""
        self._ended = True
        self._pending.pop(request.number, None)
        if not self._pending:
            self.kill()

    def kill(self) -> None:
        """End the child at once; pending requests get an error. Does not wait, not even for `submit`'s lock."""
        self._ended = True
        self._process.kill()

    def _listen(self) -> None:
        try:
            while not self._is_over():
                if self._connection.poll(self._idle):
                    self._distribute(self._connection.recv())
                else:
                    self._end_if_idle()
        except (EOFError, OSError):
            self._ended = True
        with self._lock:
            for number, pending in tuple(self._pending.items()):
                pending.reply.put(Reply(number=number, error="the process that sends has ended in the middle of it"))
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _distribute(self, message: Reply | Accepted) -> None:
        if isinstance(message, Accepted):
            pending = self._pending.get(message.number)
            if pending is not None:
                pending.accepted_by.add(message.target)
            return
        pending = self._pending.pop(message.number, None)
        if pending is not None:
            pending.reply.put(message)

    def _is_over(self) -> bool:
        """Return whether the child gets no further requests and has none pending."""
        with self._lock:
            return self._ended and not self._pending

    def _end_if_idle(self) -> None:
        with self._lock:
            self._ended = self._ended or not self._pending


def _limit_send_time(connection: "Connection[Any, Any]") -> None:
    """Set a timeout, because sending a long message to a child that hangs would block forever."""
    with socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_TIMEOUT, 0))


def _start(connection: int) -> "subprocess.Popen[bytes]":
    """Start the child with the same package directory and working directory as this process."""
    path = [str(Path(watcher.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {serve.__module__} import serve; serve({connection})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        pass_fds=(connection,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a plug-in's output may contain the URL; the reply has the reason of a failure
    )
