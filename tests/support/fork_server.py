"""Run Python commands as forks of one process that has imported the program, which saves the imports each time.

`python -m tests.support.fork_server SOCKET` is that process. For each request it forks a child, which applies the
request's arguments, folder, environment, and streams, and then runs like `python ARGUMENTS`. A test of how the program
starts runs `python -m watcher` itself.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from apprise import Apprise

import watcher
from tests.support.forked_python import ForkedProcess, fork_python_children, request_fork, run_python, set_up_child
from watcher.language.status_meaning import meaning_of

_REPOSITORY = Path(__file__).parents[2]
_MAX_REQUEST = 1 << 20  # bytes
_MAX_DESCRIPTORS = 16
_IMPORTED_LATE = (
    "alembic.command",
    "apprise.attachment.file",
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
    """Run `python -m MODULE ARGUMENTS` in the folder and environment. Kill it after `timeout` seconds.

    The children that it starts for parts of its work are forks, too.
    """
    with TemporaryFile() as stdin_file, TemporaryFile() as out, TemporaryFile() as err:
        stdin_file.write(stdin.encode())
        stdin_file.seek(0)
        streams = (stdin_file, out, err)
        with _shared().start(module, arguments, folder, environ, streams, fork_children=True) as command:
            status = command.wait(timeout)
            if status is None:
                command.send_signal(signal.SIGKILL)
                status = command.wait()
        assert status is not None
        return CompletedCommand(status=status, out=_read_all(out), err=_read_all(err))


def start(
    module: str, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], streams: Sequence[IO[bytes]]
) -> ForkedProcess:
    """Start `python -m MODULE ARGUMENTS` with these standard streams."""
    return _shared().start(module, arguments, folder, environ, streams)


def _read_all(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


class ForkServer:
    """The client of the process that forks. `environ` is added to that process's own environment."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
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
        *,
        fork_children: bool = False,
    ) -> ForkedProcess:
        """Start `python -m MODULE ARGUMENTS` with these standard streams, in a session of its own.

        With `fork_children`, its own Python children are forks, too; they are not in its session.
        """
        control = request_fork(
            self._socket,
            ["-m", module, *arguments],
            {number: stream.fileno() for number, stream in enumerate(streams)},
            folder=str(folder),
            environ=dict(environ),
            fork_children=fork_children,
        )
        return ForkedProcess(control)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


@cache
def _shared() -> ForkServer:
    server = ForkServer()
    atexit.register(server.close)
    return server


class _Server:
    """Forks for each request of the client and of its forks. Reports the pid, and later the end, of each fork."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._of_forks, self._for_forks = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._selector = selectors.DefaultSelector()
        self._selector.register(client, selectors.EVENT_READ)
        self._selector.register(self._of_forks, selectors.EVENT_READ)

    def serve(self) -> Sequence[str] | None:
        """Return the arguments of Python in a fork, or None in this process after the last request."""
        while True:
            for key, _ in self._selector.select():
                if not isinstance(key.fileobj, socket.socket):
                    self._report_end(key.fd, *key.data)
                    continue
                content, descriptors, _, _ = socket.recv_fds(key.fileobj, _MAX_REQUEST, _MAX_DESCRIPTORS)
                if not content:
                    return None
                request = json.loads(content)
                if self._fork(descriptors):
                    self._become_child(request, descriptors[:-1], new_session=key.fileobj is self._client)
                    return list(request["arguments"])

    def _fork(self, descriptors: Sequence[int]) -> bool:
        """Return whether this is the child."""
        child = os.fork()
        if child:
            for descriptor in descriptors[:-1]:
                os.close(descriptor)
            reports = socket.socket(fileno=descriptors[-1])
            with suppress(OSError):
                reports.send(str(child).encode())
            self._selector.register(os.pidfd_open(child), selectors.EVENT_READ, (child, reports))
        else:
            os.close(descriptors[-1])
        return child == 0

    def _report_end(self, pidfd: int, child: int, reports: socket.socket) -> None:
        self._selector.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(child, 0)
        with reports, suppress(OSError):
            reports.send(str(os.waitstatus_to_exitcode(status)).encode())

    def _become_child(self, request: Mapping[str, Any], descriptors: Sequence[int], *, new_session: bool) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            else:
                os.close(key.fd)
                key.data[1].close()
        self._selector.close()
        if new_session:
            os.setsid()
        if request.get("fork_children"):
            fork_python_children(self._for_forks)
        else:
            self._for_forks.close()
        set_up_child(request, descriptors)


def _import_the_program() -> None:
    for module in pkgutil.walk_packages(watcher.__path__, "watcher."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    assert Apprise.instantiate("json://localhost"), "this imports every plug-in"
    assert meaning_of("Case Was Received").stage, "this compiles every known title"
    assert threading.active_count() == 1
    gc.freeze()  # garbage collection in a child must not copy the pages that it shares


def _main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        _import_the_program()
        arguments = _Server(requests).serve()
    if arguments is not None:
        run_python(arguments)


if __name__ == "__main__":
    _main()
