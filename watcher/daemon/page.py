"""The page as the supervisor sees it: the addresses, and a process that answers requests while somebody asks.

The supervisor holds the listening sockets, so the first connection waits in the system until the process has started.
The process (`watcher.web.process`) ends itself when nobody has asked for a while. After one that failed, the next is
started with a growing delay. Like the supervisor, this module needs only the standard library.
"""

import logging
import math
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from watcher import __version__
from watcher.daemon.growing_delay import GrowingDelay
from watcher.daemon.options import Options, Pace
from watcher.daemon.service_report import ServiceReport
from watcher.daemon.worker_process import exit_details
from watcher.messages import _, current_language
from watcher.processes.channel import Message
from watcher.processes.child import Child
from watcher.processes.listening import listening_socket

PAGE_MODULE = "watcher.web.process"

_log = logging.getLogger(__name__)


class Page:
    """The addresses of the page and of `/healthz`, and the process that answers there, one at a time.

    `report` is what it is told of the service. `wake` is called when it has written something that a worker must see.
    `must_upgrade`: it is of another version than this process.
    """

    def __init__(
        self,
        options: Options,
        pace: Pace,
        selector: selectors.BaseSelector,
        report: ServiceReport,
        *,
        wake: Callable[[], None],
        module: str = PAGE_MODULE,
    ) -> None:
        """Listen nowhere yet."""
        self._options, self._pace, self._selector, self._module = options, pace, selector, module
        self._report, self._wake = report, wake
        self._sockets: dict[str, tuple[str, socket.socket]] = {}
        self._start_message: Message = {}
        self._process: Child | None = None
        self._is_watched = self._is_ending = False
        self._delay, self._started_at = GrowingDelay(pace), 0.0
        self._deadline: float | None = None
        self.must_upgrade = False

    @property
    def child(self) -> Child | None:
        """The process, if one runs."""
        return self._process

    def line(self) -> str:
        """Return the status of the service in one line."""
        line = self._report.line()
        return _("{status}, the page cannot be started", status=line) if self._fails else line

    def configure(self, addresses: Mapping[str, str], *, settings: str, token: str | None) -> None:
        """Listen at these addresses, by their keys in the configuration. A running process ends after its requests.

        Raises `WatcherError` if one of them cannot be used.
        """
        self.stop()
        self._start_message = {"settings": settings, "token": token}
        for key in [key for key, (address, _open) in self._sockets.items() if addresses.get(key) != address]:
            self._unwatch()
            self._sockets.pop(key)[1].close()
        for key, address in addresses.items():
            if key not in self._sockets:
                self._unwatch()
                self._sockets[key] = (address, listening_socket(key, address))

    def look(self, *, may_start: bool) -> None:
        """Wait for a connection if no process runs, and kill one that is past its deadline."""
        if self._process is None:
            if may_start and self._delay.time_left() <= 0:
                self._watch()
        elif self._deadline is not None and time.monotonic() >= self._deadline:
            _log.error("page_hangs")
            self._process.kill()
            self._deadline = time.monotonic() + self._pace.page_stop

    def time_left(self) -> float:
        """Return the seconds until `look` has something to do."""
        if self._deadline is not None:
            return self._deadline - time.monotonic()
        return self._delay.time_left() if self._fails and not self._is_watched else math.inf

    def ask_for_sign_of_life(self) -> None:
        """Let the process answer, or be killed."""
        if self._process is not None and self._deadline is None:
            self._deadline = time.monotonic() + self._pace.page_patience
            self._send("alive")

    def stop(self) -> None:
        """Let the process finish its requests and end."""
        if self._process is not None:
            self._send("stop")
            self._is_ending = True
            self._deadline = time.monotonic() + self._pace.page_stop

    def close(self) -> None:
        """Kill the process, and listen nowhere."""
        self._unwatch()
        for _address, listening in self._sockets.values():
            listening.close()
        self._sockets.clear()
        if self._process is not None:
            self._is_ending = True
            self._process.kill()
            self._ended()

    @property
    def _fails(self) -> bool:
        """Whether the last process failed, and none runs now."""
        return self._delay.failures > 0 and self._process is None

    # Waiting for a connection

    def _watch(self) -> None:
        if not self._is_watched:
            self._is_watched = True
            for _address, listening in self._sockets.values():
                self._selector.register(listening, selectors.EVENT_READ, self._start)

    def _unwatch(self) -> None:
        if self._is_watched:
            self._is_watched = False
            for _address, listening in self._sockets.values():
                self._selector.unregister(listening)

    # The process

    def _start(self) -> None:
        if not self._is_watched:
            return  # there was a connection at the other address too
        self._unwatch()
        try:
            self._process = Child(self._module, sockets=[listening for _address, listening in self._sockets.values()])
        except OSError as error:
            _log.error("page_not_started", extra={"reason": error.strerror, "next_start_in": self._delay.failed()})
            return
        self._started_at, self._is_ending = time.monotonic(), False
        self._selector.register(self._process.channel, selectors.EVENT_READ, self._take_messages)
        self._send(
            "start",
            **self._start_message,
            version=__version__,
            language=current_language(),
            config=self._options.config,
            log_level=self._options.log_level,
            log_format=self._options.log_format,
            sockets=list(self._sockets),
            idle=self._pace.page_idle,
            grace=self._pace.page_grace,
        )

    def _send(self, kind: str, **content: Any) -> None:
        if self._process is not None:
            with suppress(OSError):  # it has ended or hangs, which is noticed otherwise
                self._process.channel.send({"is": kind, **content})

    def _take_messages(self) -> None:
        try:
            while self._process is not None and (message := self._process.channel.receive(0)) is not None:
                self._take(message)
        except EOFError:
            self._ended()

    def _take(self, message: Message) -> None:
        """Handle a message, see `watcher.web.process`."""
        kind = message["is"]
        if kind == "status":
            self._send("status", **self._report.message())
        elif kind == "alive" and not self._is_ending:
            self._deadline = None
        elif kind == "wake":
            self._wake()
        elif kind == "upgraded":
            self.must_upgrade = True

    def _ended(self) -> None:
        process, self._process, self._deadline = self._process, None, None
        if process is None:
            return
        self._selector.unregister(process.channel)
        status = process.wait()
        process.channel.close()
        if status == 0 or self._is_ending:
            self._delay.succeeded()
        else:
            delay = self._delay.failed(age=time.monotonic() - self._started_at)
            _log.error("page_died", extra={**exit_details(status), "next_start_in": delay})
