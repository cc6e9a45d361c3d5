"""Delivery in a process of its own, for a program that runs for months and sends a message now and then.

Apprise and its plug-ins take half as much memory as all the rest, and Python never gives back what was imported. So
they are loaded by a child, which ends when nothing has been sent for a while; the next message starts another. What a
plug-in may do to its process, be it never to answer, is the child's trouble and not the daemon's.

The child takes requests through a socket pair and works on all of them at once. It ends when the other end closes,
whatever became of the process that held it.
"""

import logging
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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

_AT_ONCE = 100
"""Messages under way in one child; more channels than anybody has."""


_HANDING_OVER = 5
"""Seconds that handing over one message may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A method of `Notifier`, and what it is given."""

    number: int
    method: str
    url: str
    given: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """What the method returned, or the words of the `DeliveryFailed` that it raised."""

    number: int
    returned: Any = None
    fault: str | None = None
    permanent: bool = False


class SenderProcess:
    """A `Notifier` whose child does the sending. Safe to share between threads.

    `timeout` bounds one message, in seconds, of which some go by while the first one has Apprise read from disk. A
    child that let one pass is given no more: it ends with what it still has under way. So it does after `idle` seconds
    without a message.
    """

    def __init__(self, *, timeout: float = 75.0, idle: float = 300.0) -> None:
        """Starts nothing yet."""
        self._timeout, self._idle = timeout, idle
        self._numbers = count(1)
        self._starting = Lock()
        self._child: _Child | None = None

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        """As `Notifier.send`."""
        files = tuple(file.absolute() for file in attachments)
        self._have("send", url, title=title, body=body, html=html, short=short, attachments=files)

    def can_attach(self, url: SecretStr) -> bool:
        """As `Notifier.can_attach`. Raises `DeliveryFailed` where nobody can say."""
        return bool(self._have("can_attach", url))

    def close(self) -> None:
        """Ends the child, whatever it has under way. Waits for nobody."""
        child = self._child
        if child is not None:
            child.kill()

    def _have(self, method: str, url: SecretStr, **given: Any) -> Any:
        request = _Request(number=next(self._numbers), method=method, url=url.get_secret_value(), given=given)
        child, answer = self._hand_over(request)
        try:
            reply = answer.get(timeout=self._timeout)
        except Empty:
            child.give_up(request)
            raise DeliveryFailed(f"no answer within {self._timeout:g} seconds") from None
        if reply.fault is not None:
            raise DeliveryFailed(reply.fault, permanent=reply.permanent)
        return reply.returned

    def _hand_over(self, request: _Request) -> "tuple[_Child, SimpleQueue[_Reply]]":
        """To the child, or to another where it has ended."""
        with self._starting:
            answer = self._child.take(request) if self._child is not None else None
            if self._child is None or answer is None:
                self._child = self._another()
                answer = self._child.take(request)
                self._child.listener.start()
            if answer is None:
                raise DeliveryFailed("the process that sends ended as it began")
            return self._child, answer

    def _another(self) -> "_Child":
        try:
            return _Child(self._idle)
        except OSError as error:
            raise DeliveryFailed(f"the process that sends cannot be started: {error.strerror}") from None


class _Child:
    """One child in its life: it takes requests until it has ended, of itself or after `idle` seconds without any.

    `listener` hands out its replies; it is to be started when the first request has been taken.
    """

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._waiting: dict[int, SimpleQueue[_Reply]] = {}
        self._lock = Lock()
        self._ended = False
        self._connection, theirs = Pipe()
        _bound(self._connection)
        with theirs:
            self._process = _start(theirs.fileno())
        self.listener = Thread(target=self._listen, name="messenger", daemon=True)

    def take(self, request: _Request) -> "SimpleQueue[_Reply] | None":
        """Where its reply will come; None where the child has ended and took nothing."""
        answer: SimpleQueue[_Reply] = SimpleQueue()
        with self._lock:
            if self._ended:
                return None
            self._waiting[request.number] = answer
            try:
                self._connection.send(request)
            except OSError:  # it has ended, or stands still and takes nothing more
                del self._waiting[request.number]
                self.kill()
                return None
        return answer

    def give_up(self, request: _Request) -> None:
        """Nobody waits for this reply any more. The child is given nothing more: it may be that it stands still."""
        self._ended = True
        self._waiting.pop(request.number, None)
        if not self._waiting:
            self.kill()

    def kill(self) -> None:
        """Ends it at once; who waits for a reply is told so. Waits for nobody, not even for who hands it a request."""
        self._ended = True
        self._process.kill()

    def _listen(self) -> None:
        try:
            while not self._is_over():
                if self._connection.poll(self._idle):
                    reply = self._connection.recv()
                    answer = self._waiting.pop(reply.number, None)
                    if answer is not None:
                        answer.put(reply)
                else:
                    self._dismiss_if_idle()
        except (EOFError, OSError):
            self._ended = True
        with self._lock:
            for number, answer in tuple(self._waiting.items()):
                answer.put(_Reply(number=number, fault="the process that sends has ended in the middle of it"))
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _is_over(self) -> bool:
        """Whether it is given nothing more and has nothing under way."""
        with self._lock:
            return self._ended and not self._waiting

    def _dismiss_if_idle(self) -> None:
        with self._lock:
            self._ended = self._ended or not self._waiting


def _bound(connection: "Connection[Any, Any]") -> None:
    """Handing over a long message to a child that stands still fails after a while, and does not last for ever."""
    with socket.socket(fileno=os.dup(connection.fileno())) as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _HANDING_OVER, 0))


def _start(connection: int) -> "subprocess.Popen[bytes]":
    """It finds this program where this process found it, and the same files at relative paths."""
    places = [str(Path(watcher.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {__name__} import serve; serve({connection})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
        pass_fds=(connection,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a plug-in's last words may hold the URL; why it failed is in the reply
    )


# --- in the child ---


def serve(descriptor: int) -> None:
    """Does what the requests on this descriptor ask for, until its other end closes. Ends the process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the daemon, which ends this process when its own time comes
    logging.getLogger().addHandler(logging.NullHandler())
    connection: Connection[_Reply, _Request] = Connection(descriptor)
    notifier, replying = AppriseNotifier(timeout=None), Lock()

    def work(request: _Request) -> None:
        reply = _reply_of(notifier, request)
        with replying:
            connection.send(reply)

    workers = ThreadPoolExecutor(_AT_ONCE)
    try:
        while True:
            workers.submit(work, connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # a plug-in that hangs is not waited for


def _reply_of(notifier: Notifier, request: _Request) -> _Reply:
    try:
        returned = getattr(notifier, request.method)(SecretStr(request.url), **request.given)
    except DeliveryFailed as error:
        return _Reply(number=request.number, fault=str(error), permanent=error.permanent)
    except Exception as error:  # noqa: BLE001 - who waits for a reply has to get one
        return _Reply(number=request.number, fault=f"the plug-in failed with {type(error).__name__}")
    return _Reply(number=request.number, returned=returned)
