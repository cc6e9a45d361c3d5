"""A daemon that runs: the real command, with what it takes to see when it is ready and when it is at rest."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from tests.benchmarks.household import environment
from tests.benchmarks.processes import cpu, ended

_START_WITHIN, _STOP_WITHIN = 120.0, 60.0


class NotMeasured(Exception):
    """The program did not do what was to be measured."""


@dataclass(slots=True, kw_only=True)
class Daemon:
    """`watcher run` in `home`. `ready_wall` and `ready_cpu` are seconds until it said that it was ready."""

    home: Path
    process: "subprocess.Popen[bytes]"
    ready_wall: float
    ready_cpu: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> float:
        """Send SIGTERM. Return after how many seconds it had ended."""
        self.process.send_signal(signal.SIGTERM)
        took = ended(self.pid, _STOP_WITHIN)
        if took is None:
            raise NotMeasured(f"watcher run did not end within {_STOP_WITHIN:g} s")
        self.process.wait()
        return took


@contextmanager
def running(home: Path, program: Path, environ: Mapping[str, str] | None = None) -> Iterator[Daemon]:
    """Run the daemon of this checkout until the context ends. `home` holds its configuration."""
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        address = f"{folder}/notify"
        manager.bind(address)
        manager.settimeout(0.05)
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "watcher", "run"],
            cwd=home,
            env={**environment(), "PYTHONPATH": str(program), "NOTIFY_SOCKET": address, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(home / "daemon.log").open("ab"),
        )
        try:
            _wait_until_ready(process, manager, home)
            wall, took = time.monotonic() - began, cpu(process.pid)
            with _read(manager):
                yield Daemon(home=home, process=process, ready_wall=wall, ready_cpu=took)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(_STOP_WITHIN)


def _wait_until_ready(process: "subprocess.Popen[bytes]", manager: socket.socket, home: Path) -> None:
    until = time.monotonic() + _START_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            if b"READY=1" in manager.recv(4096).split(b"\n"):
                return
        except TimeoutError:
            continue
    raise NotMeasured((home / "daemon.log").read_text("utf-8"))


@contextmanager
def _read(manager: socket.socket) -> Iterator[None]:
    """Take what the daemon says, so that the socket never fills up."""
    ended = Event()

    def take() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                manager.recv(4096)

    manager.settimeout(1)
    thread = Thread(target=take, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def query(home: Path, sql: str, *values: object) -> list[tuple[object, ...]]:
    """Run a statement on the program's database."""
    with closing(sqlite3.connect(home / "state" / "watcher.sqlite3", timeout=30)) as database:
        rows = database.execute(sql, values).fetchall()
        database.commit()
        return rows


def wait_for(home: Path, sql: str, *values: object, within: float) -> None:
    """Wait until the query has a row."""
    until = time.monotonic() + within
    while not query(home, sql, *values):
        if time.monotonic() > until:
            log = (home / "daemon.log").read_text("utf-8")[-2000:]
            raise NotMeasured(f"not within {within:g} s: {sql}\n{log}")
        time.sleep(0.02)
