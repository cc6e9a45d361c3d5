"""Python modules run as children of one process that has imported the program, so that each is spared the imports.

`python -m tests.forked SOCKET` is that process: for each order it forks a child, which takes on the order's arguments,
folder, environment and streams and then goes on as `python -m MODULE` would: it begins at the module's beginning and
ends as a process ends. A test of how the program starts runs `python -m watcher` itself.
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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import watcher

_REPOSITORY = Path(__file__).parents[2]
_AT_MOST = 1 << 20  # bytes of an order
_IMPORTED_LATE = (
    "alembic.command",
    "apprise",
    "apprise.attachment.file",
    "apprise.manager_plugins",
    "pypdf",
    "sqlalchemy.dialects.sqlite",
)
"""What the program imports only where it is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`status` is the exit status, negative for the signal that killed it."""

    status: int
    out: str
    err: str


def run(
    module: str, words: Sequence[str], *, folder: Path, environ: Mapping[str, str], stdin: str, timeout: float
) -> Ended:
    """`python -m MODULE WORDS` in that folder and environment. After `timeout` seconds it is killed."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        status = _parent().live(
            {"module": module, "words": words, "folder": str(folder), "environ": dict(environ)},
            (given, out, err),
            timeout,
        )
        return Ended(status=status, out=_all_of(out), err=_all_of(err))


def _all_of(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


class _Parent:
    """Our end of the process that forks."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=_REPOSITORY,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def live(self, order: Mapping[str, object], streams: Sequence[IO[bytes]], timeout: float) -> int:
        """The life of one child: how it ended."""
        with self._one_at_a_time:
            socket.send_fds(self._socket, [json.dumps(order).encode()], [stream.fileno() for stream in streams])
            child = int(self._socket.recv(64))
            self._socket.settimeout(timeout)
            try:
                return int(self._socket.recv(64))
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                self._socket.settimeout(None)
                return int(self._socket.recv(64))
            finally:
                self._socket.settimeout(None)

    def end(self) -> None:
        self._socket.close()
        self._process.wait()


@cache
def _parent() -> _Parent:
    parent = _Parent()
    atexit.register(parent.end)
    return parent


def _serve(orders: socket.socket) -> str | None:
    """Forks for each order. Returns the module to be run in a child, None where there are no more orders."""
    while True:
        said, streams, _, _ = socket.recv_fds(orders, _AT_MOST, 3)
        if not said:
            return None
        child = os.fork()
        if child == 0:
            orders.close()
            return _become(json.loads(said), streams)
        for stream in streams:
            os.close(stream)
        orders.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        orders.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(order: Mapping[str, Any], streams: Sequence[int]) -> str:
    for ours, stream in enumerate(streams):
        os.dup2(stream, ours)
        os.close(stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environ"])
    time.tzset()
    sys.argv[1:] = order["words"]
    return str(order["module"])


def _import_the_program() -> None:
    for found in pkgutil.walk_packages(watcher.__path__, "watcher."):
        if not found.name.endswith("__main__") and ".migrations" not in found.name:
            importlib.import_module(found.name)
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    assert threading.active_count() == 1
    gc.freeze()  # a child's collections leave alone what it was born with, and shares


def _main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        _import_the_program()
        module = _serve(orders)
    if module is not None:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
