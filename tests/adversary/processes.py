"""The processes of a run: real commands, started and killed, with a log of what each kill met."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.adversary.witness import VARIABLE
from tests.support.fork_server import ForkServer

CHILDREN = {
    "worker": "watcher.daemon.worker",
    "sender": "sender_",
    "documents": "document_child",
    "pdf": "pdf_child",
}
"""The processes that a command starts, and what stands in their command lines."""

_CLAIMS = """SELECT id, claimed_by FROM alert WHERE claimed_by IS NOT NULL AND state NOT IN ('sent', 'dropped')"""
_FREEZE_LIMIT = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A SIGKILL. Times are monotonic: when it was sent, and when the process was gone.

    `claims` are the alerts that were on their way at that moment, with the process that would have to mark each as
    sent. It is what the database showed while the victim, and the process that had started it, stood still; None if it
    could not be read.
    """

    victim: str
    pid: int
    at: float
    gone: float
    claims: Mapping[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """The database was taken away from these processes, so they could not record what they had sent and had to end."""

    pids: frozenset[int]
    at: float


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
    """A running `watcher COMMAND`. It leads a session, to which its children belong unless they leave it."""

    name: str
    process: _Process
    started: float = field(default_factory=time.monotonic)
    status: int | None = None

    @property
    def pid(self) -> int:
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
                os.kill(self.pid, number)


class Commands:
    """Starts and kills commands in one folder. `environ` is theirs; `output` collects what they print."""

    def __init__(self, folder: Path, environ: Mapping[str, str], output: Path, database: Path) -> None:
        self._folder, self._environ, self._output, self._database = folder, dict(environ), output, database
        self._server = ForkServer({name: environ[name] for name in environ if name == "LD_PRELOAD"})
        self._marker = f"{VARIABLE}={environ[VARIABLE]}".encode()
        self._sessions: set[int] = set()
        self.kills: list[Kill] = []
        self.interruptions: list[Interruption] = []
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
        self._sessions.add(command.pid)
        self.running.append(command)
        return command

    def run(self, *arguments: str, within: float = 600.0) -> int:
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
        with self._frozen([command.pid]):
            claims, at = self._claims(), time.monotonic()
            command.send(signal.SIGKILL)
            assert command.has_ended(30)
        self.forget(command)
        if command.status != -signal.SIGKILL:
            return False
        self._log(command.name, command.pid, at, claims)
        return True

    def kill_child(self, name: str) -> bool:
        """Kill a process of this kind, whichever command or orphan has started it, and log it.

        Return False if there is none, or if it ends by itself at this moment.
        """
        found = self.find(name)
        return bool(found) and self.kill_process(name, found[0])

    def kill_all(self) -> None:
        """Kill every process of the run at one moment, as a loss of power does, and log each kill."""
        victims = {pid: _kind(pid) for pid in self.alive()}
        with self._frozen(victims):
            claims, at = self._claims(), time.monotonic()
            for pid in victims:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for command in tuple(self.running):
            assert command.has_ended(30)
            self.forget(command)
            victims[command.pid] = command.name
        for pid, kind in victims.items():
            _wait_for_end(pid)
            self._log(kind, pid, at, claims)

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Let every process of the run stand still within the block, after which each must end by itself."""
        pids = self.alive()
        with self._frozen(pids):
            self.interruptions.append(Interruption(pids=frozenset(pids), at=time.monotonic()))
            yield

    def find(self, name: str) -> list[int]:
        """Return the living processes of this kind."""
        return [pid for pid in self.alive() if CHILDREN[name] in _command_line(pid)]

    def workers_of(self, command: Command) -> list[int]:
        """Return the workers that this command has started, without those of one that was killed."""
        found = []
        for pid in self.find("worker"):
            with suppress(OSError):
                found += [pid] if _stat(pid)[2] == command.pid else []
        return found

    def alive(self) -> list[int]:
        """Return the living processes of the run: commands, children of children, and those whose parent was killed."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError, ValueError):
                    state, session, _ = _stat(int(entry.name))
                    if state not in "ZX" and (session in self._sessions or self._is_marked(entry)):
                        found.append(int(entry.name))
        return found

    def _is_marked(self, entry: Path) -> bool:
        return self._marker in (entry / "environ").read_bytes().split(b"\0")

    def kill_process(self, name: str, pid: int) -> bool:
        """Kill a process of the run, and log it under this name. Return False if it ends by itself at this moment."""
        with suppress(OSError, ValueError):
            parent = _stat(pid)[2]
            with self._frozen([pid, parent] if parent in self.alive() else [pid]):
                claims, at = self._claims(), time.monotonic()
                os.kill(pid, signal.SIGKILL)
                _wait_for_end(pid)
                self._log(name, pid, at, claims)
            return True
        return False

    @contextmanager
    def _frozen(self, pids: Collection[int]) -> Iterator[None]:
        """Let these processes stand still within the block, so that what the database shows is what the kill meets."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            until = time.monotonic() + _FREEZE_LIMIT
            while not all(map(_stands_still, pids)) and time.monotonic() < until:
                time.sleep(0.0005)
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _claims(self) -> dict[int, int] | None:
        rows = query(self._database, _CLAIMS, timeout=1)
        return None if rows is None else {int(alert): int(name.split("/")[1]) for alert, name in rows}

    def _log(self, victim: str, pid: int, at: float, claims: Mapping[int, int] | None) -> None:
        self.kills.append(Kill(victim=victim, pid=pid, at=at, gone=time.monotonic(), claims=claims))

    def left(self) -> list[str]:
        """Return the command lines of processes that still live, after a moment in which they may end."""
        until = time.monotonic() + 30
        while (alive := self.alive()) and time.monotonic() < until:
            time.sleep(0.05)
        return [_command_line(pid) for pid in alive]

    def close(self) -> None:
        """Kill what is left."""
        for pid in self.alive():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.close()


def _kind(pid: int) -> str:
    line = _command_line(pid)
    return next((name for name, part in CHILDREN.items() if part in line), "command")


def _stat(pid: int) -> tuple[str, int, int]:
    """Return a process's state, session, and parent."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[3]), int(fields[1])


def _stands_still(pid: int) -> bool:
    """Return whether no thread of a process runs, or it has ended."""
    try:
        tasks = tuple(Path(f"/proc/{pid}/task").iterdir())
        return all(
            (task / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] in "TtZX" for task in tasks
        )
    except OSError:
        return True


def _wait_for_end(pid: int) -> None:
    with suppress(OSError):
        while _stat(pid)[0] not in "ZX":
            time.sleep(0.001)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def query(database: Path, sql: str, *values: object, timeout: float = 5) -> list[tuple[Any, ...]] | None:
    """Return the rows of a query, read beside the program; None if there is no database, or it cannot be read now.

    Not with `mode=ro`, which cannot roll back what a killed process left.
    """
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=timeout)) as connection:
            connection.execute("PRAGMA query_only=ON")
            return connection.execute(sql, values).fetchall()
    except sqlite3.Error:
        return None
