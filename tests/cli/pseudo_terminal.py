"""Commands on a terminal, which is a pseudo-terminal of the kernel."""

import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping
from fcntl import ioctl

from tests.support.workspace import Workspace

WIDTH = 80


def on_terminal(
    workspace: Workspace, *arguments: str, answer: str | None = None, environ: Mapping[str, str] | None = None
) -> str:
    """Run the command on a terminal of 80 columns, type the answer, and return everything shown there."""
    primary, secondary = pty.openpty()
    ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    with subprocess.Popen(
        workspace.command(*arguments),
        cwd=workspace.folder,
        env=workspace.environment() | {"TERM": "xterm"} | dict(environ or {}),
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
    ) as process:
        os.close(secondary)
        if answer is not None:
            os.write(primary, f"{answer}\n".encode())
        output = b"".join(iter(lambda: _read(primary), b""))
        process.wait(timeout=60)
    os.close(primary)
    return output.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed and all output has been read
        return b""
