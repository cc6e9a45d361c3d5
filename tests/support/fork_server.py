"""Run Python modules as forks of one process that has imported the program, which saves the imports each time.

`python -m tests.support.fork_server SOCKET` is that process. For each request it forks a child, which applies the
request's arguments, folder, environment, and streams, and then runs like `python -m MODULE`. A test of how the program
starts runs `python -m watcher` itself.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Self

import watcher

_REPOSITORY = Path(__file__).parents[2]
_MAX_REQUEST = 1 << 20  # bytes
_IMPORTED_LATE = (
    "alembic.command",
    "apprise",
    "apprise.attachment.file",
    "apprise.manager_plugins",
    "pypdf",
    "sqlalchemy.dialects.sqlite",
)
"""What the program imports only when needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedCommand:
    """The output of a command. `status` is the exit status, or the negated number of the signal that killed it."""

    status: int
    out: str
    err: str


def run(
    module: str, arguments: Sequence[str], *, folder: Path, environ: Mapping[str, str], stdin: str, timeout: float
) -> CompletedCommand:
    """Run `python -m MODULE ARGUMENTS` in the folder and environment. Kill it after `timeout` seconds."""
    with TemporaryFile() as stdin_file, TemporaryFile() as out, TemporaryFile() as err:
        stdin_file.write(stdin.encode())
        stdin_file.seek(0)
        with _shared().start(module, arguments, folder, environ, (stdin_file, out, err)) as command:
            status = command.wait(timeout)
            if status is None:
                command.send_signal(signal.SIGKILL)
                status = command.wait(None)
        assert status is not None
        return CompletedCommand(status=status, out=_read_all(out), err=_read_all(err))


def _read_all(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


class ForkedCommand:
    """A command that runs in a session of its own. Close it after it has ended, or leave the `with` block."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self.pid = int(control.recv(64))

    def wait(self, timeout: float | None) -> int | None:
        """Return the exit status, or the negated number of the signal that killed it; None after `timeout` seconds."""
        self._control.settimeout(timeout)
        try:
            return int(self._control.recv(64))
        except TimeoutError:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def close(self) -> None:
        self._control.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ForkServer:
    """The client of the process that forks. `environ` is added to that process's own environment."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=_REPOSITORY,
                env={**os.environ, **(environ or {})},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        streams: Sequence[IO[bytes]],
    ) -> ForkedCommand:
        """Start `python -m MODULE ARGUMENTS` with these standard streams."""
        request = {"module": module, "arguments": arguments, "folder": str(folder), "environ": dict(environ)}
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            descriptors = [*(stream.fileno() for stream in streams), theirs.fileno()]
            socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
        return ForkedCommand(control)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


@cache
def _shared() -> ForkServer:
    server = ForkServer()
    atexit.register(server.close)
    return server


def _serve(requests: socket.socket) -> str | None:
    """Fork for each request. Return the module to run in a child, or None in the parent after the last request."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # of the processes that wait for the commands
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _MAX_REQUEST, 4)
        if not request:
            return None
        if os.fork() == 0:
            requests.close()
            return _run_and_wait(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _run_and_wait(request: Mapping[str, Any], descriptors: Sequence[int]) -> str:
    """Return the module to run in a child. The parent reports the child's number and status, and ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, control = descriptors
    child = os.fork()
    if child == 0:
        os.close(control)
        os.setsid()
        return _set_up_child(request, streams)
    for stream in streams:
        os.close(stream)
    with socket.socket(fileno=control) as client, suppress(OSError):
        client.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        client.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _set_up_child(request: Mapping[str, Any], streams: Sequence[int]) -> str:
    for ours, stream in enumerate(streams):
        os.dup2(stream, ours)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    sys.argv[1:] = request["arguments"]
    return str(request["module"])


def _import_the_program() -> None:
    for module in pkgutil.walk_packages(watcher.__path__, "watcher."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    assert threading.active_count() == 1
    gc.freeze()  # garbage collection in a child must not copy the pages that it shares


def _main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        _import_the_program()
        module = _serve(requests)
    if module is not None:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
