"""The processes of a run: real commands, started and killed, with a log of what each kill met."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.support.fork_server import ForkServer

CHILDREN = {"sender": "sender_process", "html": "html_child", "pdf": "pdf_child"}
"""The children of a command, and what stands in their command lines."""

_ESTABLISHED = "01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A SIGKILL. Times are monotonic: when it was sent, and when the process was gone.

    `unsent` are the alerts that the database did not show as sent right after; None if it could not be read.
    """

    victim: str
    group: int
    at: float
    gone: float
    unsent: frozenset[int] | None


class _Process(Protocol):
    pid: int

    def wait(self, timeout: float | None) -> int | None: ...

    def close(self) -> None: ...


class _ColdProcess:
    """A command in a new interpreter, with the interface of a forked one."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process, self.pid = process, process.pid

    def wait(self, timeout: float | None) -> int | None:
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Do nothing more."""


@dataclass(slots=True)
class Command:
    """A running `watcher COMMAND`. It leads a process group, to which its children belong."""

    name: str
    process: _Process
    started: float = field(default_factory=time.monotonic)
    status: int | None = None

    @property
    def group(self) -> int:
        return self.process.pid

    def has_ended(self, timeout: float = 0.001) -> bool:
        """Return whether it has ended, after waiting up to so many seconds."""
        if self.status is None:
            self.status = self.process.wait(timeout)
            if self.status is not None:
                self.process.close()
        return self.status is not None

    def send(self, number: int) -> None:
        if not self.has_ended():
            with suppress(ProcessLookupError):
                os.kill(self.group, number)

    def child(self, name: str) -> int | None:
        """Return the number of a child of this kind."""
        return next((pid for pid in _children(self.group) if CHILDREN[name] in _command_line(pid)), None)


class Commands:
    """Starts and kills commands in one folder. `environ` is theirs; `output` collects what they print."""

    def __init__(self, folder: Path, environ: Mapping[str, str], output: Path, database: Path) -> None:
        self._folder, self._environ, self._output, self._database = folder, dict(environ), output, database
        self._server = ForkServer({name: environ[name] for name in environ if name == "LD_PRELOAD"})
        self.groups: set[int] = set()
        self.kills: list[Kill] = []
        self.running: list[Command] = []

    def start(self, *arguments: str, cold: bool = False, environ: Mapping[str, str] | None = None) -> Command:
        """Start `watcher ARGUMENTS`: a fork of a process that has imported the program, or, if `cold`, anew."""
        process: _Process
        with ExitStack() as stack:
            output = stack.enter_context(self._output.open("ab"))
            nothing = stack.enter_context(Path(os.devnull).open("rb"))
            merged = {**self._environ, **(environ or {})}
            if cold:
                process = _ColdProcess(
                    subprocess.Popen(
                        [sys.executable, "-m", "watcher", *arguments],
                        cwd=self._folder,
                        env=merged,
                        stdin=nothing,
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                    )
                )
            else:
                process = self._server.start("watcher", arguments, self._folder, merged, (nothing, output, output))
        command = Command(arguments[0], process)
        self.groups.add(command.group)
        self.running.append(command)
        return command

    def run(self, *arguments: str, within: float = 120.0) -> int:
        """Run a command to its end; return its exit status. Fails if it takes longer."""
        command = self.start(*arguments)
        assert command.has_ended(within), f"watcher {' '.join(arguments)} took longer than {within:g} seconds"
        self.forget(command)
        assert command.status is not None
        return command.status

    def forget(self, command: Command) -> None:
        """Leave out a command that has ended."""
        self.running.remove(command)

    def kill(self, command: Command) -> bool:
        """Kill a command at once, and log it. Return False if it had already ended."""
        at = time.monotonic()
        command.send(signal.SIGKILL)
        assert command.has_ended(30)
        self.forget(command)
        if command.status != -signal.SIGKILL:
            return False
        self._log(command.name, command.group, at)
        return True

    def kill_child(self, command: Command, name: str) -> bool:
        """Kill a child of the command, and log it. Return False if there is none."""
        pid = command.child(name)
        if pid is None:
            return False
        at = time.monotonic()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while _is_alive(pid):
            time.sleep(0.001)
        self._log(name, command.group, at)
        return True

    def _log(self, victim: str, group: int, at: float) -> None:
        gone = time.monotonic()
        rows = query(self._database, "SELECT id FROM alert WHERE state <> 'sent'")
        unsent = None if rows is None else frozenset(int(row[0]) for row in rows)
        self.kills.append(Kill(victim=victim, group=group, at=at, gone=gone, unsent=unsent))

    def group_of(self, port: int) -> int | None:
        """Return the group of the process that is connected from this port of the loopback address."""
        wanted = f"0100007F:{port:04X}"
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[1] == wanted and fields[3] == _ESTABLISHED:
                return self._holder_of(f"socket:[{fields[9]}]")
        return None

    def _holder_of(self, link: str) -> int | None:
        groups = {command.group for command in tuple(self.running)}
        for pid in processes_of(groups | set(self._recent_groups())):
            with suppress(OSError):
                for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                    with suppress(OSError):
                        if descriptor.readlink().name == link:
                            return _stat(pid)[1]
        return None

    def _recent_groups(self) -> Iterator[int]:
        """Yield the groups that were killed last; a child may live a moment longer."""
        return (kill.group for kill in self.kills[-4:])

    def left(self) -> list[str]:
        """Return the command lines of processes that still live, after a moment in which they may end."""
        until = time.monotonic() + 10
        while (alive := processes_of(self.groups)) and time.monotonic() < until:
            time.sleep(0.05)
        return [_command_line(pid) for pid in alive]

    def close(self) -> None:
        """Kill what is left."""
        for pid in processes_of(self.groups):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.close()


def processes_of(groups: set[int]) -> list[int]:
    """Return the living processes of these process groups."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                state, group = _stat(int(entry.name))
                if group in groups and state not in "ZX":
                    found.append(int(entry.name))
    return found


def _children(pid: int) -> list[int]:
    """Return the children that any thread of a process has started."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found


def _stat(pid: int) -> tuple[str, int]:
    """Return a process's state and group."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[2])


def _is_alive(pid: int) -> bool:
    try:
        return _stat(pid)[0] not in "ZX"
    except OSError:
        return False


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def query(database: Path, sql: str, *values: object) -> list[tuple[Any, ...]] | None:
    """Return the rows of a query, read beside the program; None if there is no database, or it cannot be read now.

    Not with `mode=ro`, which cannot roll back what a killed process left.
    """
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=5)) as connection:
            connection.execute("PRAGMA query_only=ON")
            return connection.execute(sql, values).fetchall()
    except sqlite3.Error:
        return None
