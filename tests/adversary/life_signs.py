"""A service manager and a monitor that watch the daemon: keep-alives and answers over HTTP, both with a deadline."""

import socket
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Self

from tests.adversary.processes import Command

WATCHDOG = 15.0
"""Seconds in which a keep-alive must follow the one before, and in which the health page must answer."""


class LifeSigns:
    """Watches one command at a time. `faults` are missed deadlines; `beats` and `answers` count what came in time."""

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / "notify")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.faults: list[str] = []
        self.beats = self.answers = 0
        self._command: Command | None = None
        self._last = 0.0
        self._ended = Event()
        self._threads = [Thread(target=work, daemon=True) for work in (self._listen, self._ask_often)]

    @property
    def environ(self) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self._address, "WATCHDOG_USEC": str(round(WATCHDOG * 1_000_000))}

    @property
    def is_ready(self) -> bool:
        """Whether the daemon has reported that it runs."""
        return self._last > 0

    def watch(self, command: Command | None) -> None:
        """Expect signs of life of this command once it is ready, and no longer of the one before."""
        self._command, self._last = command, 0.0

    def excuse(self) -> None:
        """Count the time anew: the process was stopped until now."""
        self._last = time.monotonic() if self._last else 0.0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(self._address)
            server.settimeout(0.5)
            while not self._ended.is_set():
                with suppress(TimeoutError):
                    lines = server.recv(4096).split(b"\n")
                    if b"READY=1" in lines or (self.is_ready and b"WATCHDOG=1" in lines):
                        self.beats += 1
                        self._last = time.monotonic()
                    if b"STOPPING=1" in lines:
                        self.watch(None)
                if self.is_ready and time.monotonic() - self._last > WATCHDOG:
                    self.faults.append(f"no keep-alive for {WATCHDOG:g} seconds")
                    self.watch(None)

    def _ask_often(self) -> None:
        while not self._ended.wait(0.7):
            command = self._command
            if command is None or not self.is_ready:
                continue
            began = time.monotonic()
            try:
                connection = HTTPConnection("127.0.0.1", self.port, timeout=WATCHDOG)
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                connection.close()
                self.answers += 1
            except (OSError, HTTPException):
                if command is self._command and time.monotonic() - began >= WATCHDOG:
                    self.faults.append(f"the health page did not answer within {WATCHDOG:g} seconds")
