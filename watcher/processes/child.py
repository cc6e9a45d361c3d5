"""A child process: a module of this program in a new interpreter, with a channel to it.

The child finds its end of the channel as descriptor 3, and ends when the other end is closed, even if this process was
killed. Sockets that are passed on are the descriptors from 4. Its log lines go to standard error, which it inherits.
"""

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from types import FrameType

import watcher
from watcher.processes.channel import Channel

_DESCRIPTOR = 3
_START = "watcher.processes.start"
_SHIELDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NULL_INPUT = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
_NULL_OUTPUT = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]


class Child:
    """A running process. Thread-safe, except for its `channel`, see there."""

    def __init__(self, module: str, *, quiet: bool = False, sockets: Sequence[socket.socket] = ()) -> None:
        """Start a process that calls the module's `main`. Raises OSError if that is not possible.

        `quiet` discards what it prints. It takes the `sockets` with `passed_sockets`.
        """
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as copies:
            try:
                passed = [_copy(each, len(sockets), copies) for each in sockets]
                self.pid = os.posix_spawn(
                    sys.executable,
                    command(_START, module),
                    environment(),
                    file_actions=[
                        _NULL_INPUT,
                        *(_NULL_OUTPUT if quiet else []),
                        (os.POSIX_SPAWN_DUP2, theirs.fileno(), _DESCRIPTOR),
                        *((os.POSIX_SPAWN_DUP2, copy, _DESCRIPTOR + n) for n, copy in enumerate(passed, 1)),
                    ],
                    setsigmask=_SHIELDED,
                )
            except OSError:
                ours.close()
                raise
        self.channel = Channel(ours)
        self._waiting = Lock()
        self._status: int | None = None

    def status(self) -> int | None:
        """Return the exit status, or the negated number of the signal that ended it; None while it runs."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        """Wait until it has ended. Return its status."""
        return self._wait(0) or 0

    def kill(self) -> None:
        """End it at once. Does not wait."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the end of the process was noticed: its number may be another's by now."""
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _wait(self, options: int) -> int | None:
        with self._waiting:
            if self._status is None:
                pid, status = os.waitpid(self.pid, options)
                self._status = os.waitstatus_to_exitcode(status) if pid else None
            return self._status


def channel_to_parent() -> Channel:
    """Return the channel that this process was started with.

    Also lets signals pass without effect that are meant for the parent, which a terminal or a service manager sends to
    all processes. Processes that this one starts receive them as usual.
    """
    for number in _SHIELDED:
        signal.signal(number, _ignore)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SHIELDED)
    os.set_inheritable(_DESCRIPTOR, False)
    return Channel(socket.socket(fileno=_DESCRIPTOR))


def passed_sockets(number: int) -> list[socket.socket]:
    """Return the sockets that this process was started with."""
    descriptors = range(_DESCRIPTOR + 1, _DESCRIPTOR + 1 + number)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def _copy(passed: socket.socket, number: int, copies: ExitStack) -> int:
    """Return a copy of a descriptor, above those that a child with this number of sockets finds them at."""
    copy = fcntl.fcntl(passed, fcntl.F_DUPFD_CLOEXEC, _DESCRIPTOR + 1 + number)
    copies.callback(os.close, copy)
    return copy


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing."""


def reap_orphans(*children: Child | None) -> None:
    """Take the exit status of all processes that have ended except `children`.

    Process 1 of a container becomes the parent of those whose own parent was killed.
    """
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if any(child is not None and ended.si_pid == child.pid for child in children):
                return
            os.waitpid(ended.si_pid, 0)


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this program in this process's interpreter, see `environment`."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return this process's environment with the folder of this package in the path, where it was found."""
    folder, path = str(Path(watcher.__file__).parents[1]), os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([folder, *(part for part in path if part not in {"", folder})])}
