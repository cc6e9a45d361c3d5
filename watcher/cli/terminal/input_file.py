"""Files that a person names on the command line, also pipes, as in `watcher import family <(command)`."""

import errno
import os
import select
import stat
from io import FileIO
from pathlib import Path

from watcher.messages import _

_MAX_WAIT = 10.0
_CHUNK = 65_536


def read_input(file: Path, *, max_bytes: int, max_wait: float = _MAX_WAIT) -> bytes:
    """Return at most `max_bytes` of a file. A pipe may be silent for at most `max_wait` seconds.

    Raises OSError, also for a pipe that nobody writes to.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return stream.read(max_bytes)
        content = bytearray()
        while len(content) < max_bytes and (chunk := _next_chunk(stream, file, max_wait)):
            content += chunk
    if not content:
        raise OSError(errno.EPIPE, _("is not a regular file, and nothing writes to it"), str(file))
    return bytes(content[:max_bytes])


def _next_chunk(stream: FileIO, file: Path, max_wait: float) -> bytes:
    """Return the next bytes of a pipe, or none at its end."""
    while (chunk := stream.read(_CHUNK)) is None:  # there is a writer, which has written nothing yet
        if not select.select([stream], [], [], max_wait)[0]:
            reason = _("is not a regular file, and sent nothing for {seconds} seconds", seconds=f"{max_wait:g}")
            raise OSError(errno.ETIMEDOUT, reason, str(file))
    return chunk
