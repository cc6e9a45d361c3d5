"""The child process that sends messages through Apprise, and what it exchanges with the daemon.

It receives requests through a socket pair and handles them concurrently. It ends when the other end is closed, even if
the daemon was killed.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

from pydantic import SecretStr

from watcher.delivery.apprise_notifier import AppriseNotifier, Notifier
from watcher.delivery.memory_limit import limit_memory
from watcher.errors import DeliveryFailed

_MAX_WORKERS = 100
"""Concurrent messages in one child; more than anybody has channels."""

_STACK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call of a method of `Notifier`."""

    number: int
    method: str
    url: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A target of the channel has accepted the message of a request that is not finished yet."""

    number: int
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The return value of the method, or what the `DeliveryFailed` that it raised says."""

    number: int
    value: Any = None
    error: str | None = None
    permanent: bool = False
    refused: bool = False
    retry_after: timedelta | None = None


def serve(descriptor: int) -> None:
    """Handle requests from this descriptor until its other end is closed, then end the process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the daemon, which ends this process itself
    threading.stack_size(_STACK_BYTES)
    limit_memory()
    logging.getLogger().addHandler(logging.NullHandler())
    connection: Connection[Reply | Accepted, Request] = Connection(descriptor)
    notifier, send_lock = AppriseNotifier(timeout=None), Lock()

    def answer(message: Reply | Accepted) -> None:
        with send_lock:
            connection.send(message)

    def work(request: Request) -> None:
        answer(_reply_of(notifier, request, lambda target: answer(Accepted(number=request.number, target=target))))

    workers = ThreadPoolExecutor(_MAX_WORKERS)
    try:
        while True:
            workers.submit(work, connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # does not wait for plug-ins that hang


def _reply_of(notifier: Notifier, request: Request, report: Callable[[str], None]) -> Reply:
    arguments = request.arguments | ({"report": report} if request.method == "send" else {})
    try:
        value = getattr(notifier, request.method)(SecretStr(request.url), **arguments)
    except DeliveryFailed as error:
        return Reply(
            number=request.number,
            error=str(error),
            permanent=error.permanent,
            refused=error.refused,
            retry_after=error.retry_after,
        )
    except Exception as error:  # noqa: BLE001 - every request must get a reply
        return Reply(number=request.number, error=f"the plug-in failed with {type(error).__name__}")
    return Reply(number=request.number, value=value)
