"""Both sides of a Python process that is a fork: the process itself, and the object that its parent has of it."""

import atexit
import fcntl
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self

_FREE_DESCRIPTORS = 200
"""Higher than every number that a descriptor has in a child."""

_Popen = subprocess.Popen


class ForkedProcess:
    """A process that a fork server has forked. Close it after it has ended, or leave the `with` block."""

    def __init__(self, control: socket.socket) -> None:
        """Take the connection on which the server reports the pid, and then the end."""
        self._control = control
        self.pid = int(control.recv(64))
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit status, or the negated number of the signal that killed it; None after `timeout` seconds."""
        if self.returncode is None and select.select([self._control], [], [], timeout)[0]:
            self.returncode = int(self._control.recv(64))
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit status if it has ended."""
        return self.wait(0.0)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        self._control.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def request_fork(
    server: socket.socket, arguments: Sequence[str], descriptors: Mapping[int, int], **request: Any
) -> socket.socket:
    """Ask for a fork that runs like `python ARGUMENTS`; return the connection for a `ForkedProcess`.

    `descriptors` are ours by their numbers in the child.
    """
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        content = {"arguments": list(arguments), "descriptors": list(descriptors), **request}
        socket.send_fds(server, [json.dumps(content).encode()], [*descriptors.values(), theirs.fileno()])
    return control


class _ForkedChild(ForkedProcess):
    """A child with the part of the interface of `subprocess.Popen` that the program uses."""

    def __init__(
        self,
        server: socket.socket,
        arguments: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        stderr: int,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        theirs: dict[int, int] = {}
        self.stdin, self.stdout = _stream(theirs, 0, stdin), _stream(theirs, 1, stdout)
        _stream(theirs, 2, stderr)
        super().__init__(
            request_fork(
                server,
                arguments[1:],
                {**theirs, **dict(zip(pass_fds, pass_fds, strict=True))},
                folder=str(Path.cwd()),
                environ=dict(os.environ if env is None else env),
            )
        )
        for descriptor in theirs.values():
            os.close(descriptor)

    def communicate(self) -> tuple[bytes, None]:
        """Close its input, wait until it ends, and return what it still wrote."""
        assert self.stdin is not None
        assert self.stdout is not None
        with suppress(OSError):
            self.stdin.close()
        with self.stdout as stdout:
            rest = stdout.read()
        self.wait()
        return rest, None


def _stream(theirs: dict[int, int], number: int, kind: int) -> IO[bytes] | None:
    """Add the descriptor of a standard stream to those of the child; return our end if it is a pipe."""
    if kind == subprocess.DEVNULL:
        theirs[number] = os.open(os.devnull, os.O_RDWR)
        return None
    assert kind == subprocess.PIPE
    read, write = os.pipe()
    theirs[number], ours = (read, write) if number == 0 else (write, read)
    return os.fdopen(ours, "wb" if number == 0 else "rb")


def fork_python_children(server: socket.socket) -> None:
    """Make every child `[sys.executable, "-P", …]` of this process a fork of the server's."""

    def popen(arguments: Sequence[str], *rest: Any, **options: Any) -> Any:
        if list(arguments[:2]) == [sys.executable, "-P"]:
            return _ForkedChild(server, arguments, **options)
        return _Popen(arguments, *rest, **options)

    subprocess.Popen = popen  # type: ignore[assignment,misc]


def set_up_child(request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Give this process the request's descriptors, folder, environment, and arguments."""
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FREE_DESCRIPTORS) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    for source, number in zip(high, request["descriptors"], strict=True):
        os.dup2(source, number)
        os.close(source)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()


def run_python(arguments: Sequence[str]) -> None:
    """Do what `python ARGUMENTS` does, and end this process.

    Exit handlers run, but the interpreter is not torn down: that takes longer than most commands.
    """
    with _ending():
        match list(arguments):
            case ["-m", module, *rest]:
                sys.argv[1:] = rest
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            case ["-P", "-c", code]:
                sys.argv[:] = ["-c"]
                exec(code, {"__name__": "__main__"})  # noqa: S102 - like the interpreter
            case ["-P", file]:
                sys.argv[:] = [file]
                runpy.run_path(file, run_name="__main__")


@contextmanager
def _ending() -> Iterator[None]:
    status = 0
    try:
        yield
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)
