"""The three standard streams, whatever a caller has made of them."""

import os
import sys
from contextlib import suppress
from pathlib import Path


def prepare() -> None:
    """Makes them such that any command can use them.

    One that was closed leads nowhere: else the next file that is opened, the database above all, would take its place
    and receive what is printed. A letter that the encoding of a terminal lacks becomes a question mark.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # not every stand-in for a stream has this
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def trouble_with_output() -> str | None:
    """Why standard output takes nothing any more, where that is so; what was still to be printed is let go."""
    try:
        sys.stdout.flush()
    except OSError as error:
        let_go_of_output()
        return error.strerror or str(error)
    return None


def let_go_of_output() -> None:
    """Sends what is still to be printed nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
