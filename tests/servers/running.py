"""Start and stop servers written by others, on loopback and in a temporary folder."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".servers"
_PATIENCE = 60.0


def program(name: str, *, under: Path | None = None) -> str:
    """Return the path of a server's program. Skips the test without it, or fails if it is required."""
    places = os.pathsep.join([str(INSTALLED / under)] if under else [os.environ.get("PATH", ""), "/usr/sbin"])
    found = shutil.which(name, path=places)
    if found is None:
        wanted(f"{name} is not installed; run tests/servers/install")
    return str(found)


def wanted(reason: str) -> None:
    """Skip the test, or fail it if $REQUIRE_SERVERS requires every server."""
    if os.environ.get("REQUIRE_SERVERS"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(
    command: Sequence[str | Path], *, port: int, folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run the command until the context ends; enter it when the port accepts connections."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
        )
        try:
            _await(process, port, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
