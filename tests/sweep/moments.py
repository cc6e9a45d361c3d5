"""What a kill before any SQL statement of a command leaves, from one run of the command.

The command pauses before each statement while its state folder is copied. A process that is killed there leaves these
files. Statements between two writes leave the same files, so their kills are one moment.
"""

import shutil
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from tests.support import fork_server
from tests.support.webhook_workspace import WebhookWorkspace

Seen = TypeVar("Seen")
_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Generic[Seen]):
    """A kill before the statement with this number. `seen` is what was to be seen outside until then."""

    statement: int
    seen: Seen
    state: Path

    def restore(self, state: Path) -> None:
        """Put the files that the kill left in the place of the present ones."""
        shutil.rmtree(state)
        shutil.copytree(self.state, state)


@dataclass(slots=True, kw_only=True)
class WatchedRun(Generic[Seen]):
    """A command's undisturbed run: its exit status, its number of statements, and the moments that differ."""

    status: int = -1
    statements: int = 0
    moments: list[Moment[Seen]] = field(default_factory=list)


def watch(workspace: WebhookWorkspace, *arguments: str, see: Callable[[], Seen]) -> WatchedRun[Seen]:
    """Run a command, and note every moment at which its files, or what `see` returns, differ from the one before."""
    run: WatchedRun[Seen] = WatchedRun()
    last: tuple[Mapping[Path, bytes], Seen] | None = None

    def note() -> None:
        nonlocal last
        run.statements += 1
        present = (_files(workspace.state), see())
        if present != last:
            copy = workspace.folder / "moments" / str(run.statements)
            shutil.copytree(workspace.state, copy)
            run.moments.append(Moment(statement=run.statements, seen=present[1], state=copy))
            last = present

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(0.05)
        port = listener.getsockname()[1]
        ended = pool.submit(run_module, workspace, "tests.sweep.pausing_command", str(port), *arguments)
        while not ended.done():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                with connection:
                    note()
        run.status = ended.result()
    note()  # a kill after the last statement
    return run


def run_module(workspace: WebhookWorkspace, module: str, *arguments: str) -> int:
    """Run `python -m MODULE ARGUMENTS` in the workspace. Returns the exit status."""
    return fork_server.run(
        module,
        arguments,
        folder=workspace.folder,
        environ=workspace.environment(),
        stdin="",
        timeout=_TIMEOUT,
    ).status


def _files(folder: Path) -> dict[Path, bytes]:
    """Return the content of every file but SQLite's shared memory, which the next process makes anew."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite3-shm"}
