"""Delivery in a child process, for a daemon that runs for months and sends few messages.

Apprise and its plug-ins take half as much memory as the rest of the program, and Python never frees imported modules.
A child process loads them and ends after a time without messages; the next message starts another. A plug-in that
crashes or hangs affects only the child.

The child receives requests through a socket pair and handles them concurrently. It ends when the other end is closed,
even if the daemon was killed.
"""

import logging
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from pydantic import SecretStr

import watcher
from watcher.delivery.apprise_notifier import AppriseNotifier, Notifier
from watcher.errors import DeliveryFailed

_MAX_WORKERS = 100
"""Concurrent messages in one child; more than anybody has channels."""

_MEMORY_BYTES = 320 * 1024 * 1024
"""Memory of the child: several times what Apprise and a large attachment take, less than the unit's `MemoryMax`."""

_STACK_BYTES = 1024 * 1024
_SEND_TIMEOUT = 5
"""Seconds in which the child must take a request from the socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A call of a method of `Notifier`."""

    number: int
    method: str
    url: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """The return value of the method, or the message of the `DeliveryFailed` that it raised."""

    number: int
    value: Any = None
    error: str | None = None
    permanent: bool = False


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
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        """Send as described in `Notifier.send`."""
        files = tuple(file.absolute() for file in attachments)
        self._call("send", url, title=title, body=body, html=html, short=short, attachments=files)

    def can_attach(self, url: SecretStr) -> bool:
        """Return as described in `Notifier.can_attach`. Raises `DeliveryFailed` if the child does not answer."""
        return bool(self._call("can_attach", url))

    def close(self) -> None:
        """Kill the child, even if it is sending. Does not wait."""
        child = self._child
        if child is not None:
            child.kill()

    def _call(self, method: str, url: SecretStr, **arguments: Any) -> Any:
        request = _Request(number=next(self._numbers), method=method, url=url.get_secret_value(), arguments=arguments)
        child, replies = self._submit(request)
        try:
            reply = replies.get(timeout=self._timeout)
        except Empty:
            child.abandon(request)
            raise DeliveryFailed(f"no answer within {self._timeout:g} seconds") from None
        if reply.error is not None:
            raise DeliveryFailed(reply.error, permanent=reply.permanent)
        return reply.value

    def _submit(self, request: _Request) -> "tuple[_Child, SimpleQueue[_Reply]]":
        """Send the request to the child, or to a new one if it has ended."""
        with self._starting:
            replies = self._child.submit(request) if self._child is not None else None
            if self._child is None or replies is None:
                self._child = self._start_child()
                replies = self._child.submit(request)
                self._child.listener.start()
            if replies is None:
                raise DeliveryFailed("the process that sends ended as it began")
            return self._child, replies

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
        self._pending: dict[int, SimpleQueue[_Reply]] = {}
        self._lock = Lock()
        self._ended = False
        self._connection, child_end = Pipe()
        _limit_send_time(self._connection)
        with child_end:
            self._process = _start(child_end.fileno())
        self.listener = Thread(target=self._listen, name="sender replies", daemon=True)

    def submit(self, request: _Request) -> "SimpleQueue[_Reply] | None":
        """Send a request. Return the queue that will get its reply; None if the child has ended."""
        replies: SimpleQueue[_Reply] = SimpleQueue()
        with self._lock:
            if self._ended:
                return None
            self._pending[request.number] = replies
            try:
                self._connection.send(request)
            except OSError:  # it has ended, or hangs and reads nothing more
                del self._pending[request.number]
                self.kill()
                return None
        return replies

    def abandon(self, request: _Request) -> None:
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
                    reply = self._connection.recv()
                    replies = self._pending.pop(reply.number, None)
                    if replies is not None:
                        replies.put(reply)
                else:
                    self._end_if_idle()
        except (EOFError, OSError):
            self._ended = True
        with self._lock:
            for number, replies in tuple(self._pending.items()):
                replies.put(_Reply(number=number, error="the process that sends has ended in the middle of it"))
        self._connection.close()
        self._process.kill()
        self._process.wait()

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
        [sys.executable, "-P", "-c", f"from {__name__} import serve; serve({connection})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        pass_fds=(connection,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a plug-in's output may contain the URL; the reply has the reason of a failure
    )


# --- in the child ---


def serve(descriptor: int) -> None:
    """Handle requests from this descriptor until its other end is closed, then end the process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the daemon, which ends this process itself
    _limit_memory()
    logging.getLogger().addHandler(logging.NullHandler())
    connection: Connection[_Reply, _Request] = Connection(descriptor)
    notifier, send_lock = AppriseNotifier(timeout=None), Lock()

    def work(request: _Request) -> None:
        reply = _reply_of(notifier, request)
        with send_lock:
            connection.send(reply)

    workers = ThreadPoolExecutor(_MAX_WORKERS)
    try:
        while True:
            workers.submit(work, connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # does not wait for plug-ins that hang


def _limit_memory() -> None:
    """Make an endless answer of a service a `MemoryError` in its plug-in, instead of the end of the daemon."""
    threading.stack_size(_STACK_BYTES)
    with suppress(OSError, ValueError):  # not every system has the limit
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))


def _reply_of(notifier: Notifier, request: _Request) -> _Reply:
    try:
        value = getattr(notifier, request.method)(SecretStr(request.url), **request.arguments)
    except DeliveryFailed as error:
        return _Reply(number=request.number, error=str(error), permanent=error.permanent)
    except Exception as error:  # noqa: BLE001 - every request must get a reply
        return _Reply(number=request.number, error=f"the plug-in failed with {type(error).__name__}")
    return _Reply(number=request.number, value=value)
