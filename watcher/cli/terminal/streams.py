"""The three standard streams, in whatever state the caller left them."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from watcher.errors import system_reason


def prepare() -> None:
    """Make the streams usable for any command.

    A closed stream is opened on the null device. Otherwise the next file to be opened, such as the database, would take
    its descriptor and receive what is printed. Characters that a terminal's encoding lacks become question marks.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - stays open
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # not every replacement of a stream has this method
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def output_error() -> str | None:
    """Return why standard output fails, or None. After a failure, discard pending output."""
    try:
        sys.stdout.flush()
    except OSError as error:
        discard_output()
        return system_reason(error) or str(error)
    return None


def discard_output() -> None:
    """Redirect pending and further output to the null device."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
