"""Whether a PDF opens, found out in a process of its own.

A PDF is a program of sorts: a hostile or broken one can make its reader run for hours or take all memory. So the
reader is a child process with bounds, which may die without anybody else's harm. One child serves a whole round.
"""

import struct
import subprocess
import sys
from pathlib import Path
from select import select
from types import TracebackType
from typing import Self

from watcher.notices.file_type import NotADocument

_CHILD = Path(__file__).with_name("pdf_child.py")
_SECONDS = 30.0
_START = 60.0
"""Seconds that the first answer may take: the child reads its library from disk first."""


class PdfChecker:
    """Opens PDFs, one after the other; leaving the context ends its child."""

    def __init__(self, *, seconds: float = _SECONDS, child: Path = _CHILD) -> None:
        """Starts nothing yet. `seconds` is the longest that one document may take."""
        self._seconds, self._child = seconds, child
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def check(self, content: bytes) -> None:
        """Raises `NotADocument` where it is no PDF that opens, or takes longer or more memory than a letter does."""
        patience = self._seconds if self._process else max(self._seconds, _START)
        verdict = self._ask(self._running(), content, patience)
        if verdict is None:
            self._end()
            raise NotADocument("the PDF does not open within the time and memory that a letter takes")
        if verdict != "opens":
            raise NotADocument(f"the PDF does not open: {verdict}")

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(self._child)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    @staticmethod
    def _ask(child: "subprocess.Popen[bytes]", content: bytes, patience: float) -> str | None:
        """The child's verdict; None where it gave none."""
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            child.stdin.write(struct.pack(">Q", len(content)))
            child.stdin.write(content)
            child.stdin.flush()
        except OSError:
            return None
        ready, _, _ = select([child.stdout], [], [], patience)
        line = child.stdout.readline() if ready else b""
        return line.decode("ascii", "replace").strip() or None

    def _end(self) -> None:
        child, self._process = self._process, None
        if child is None:
            return
        child.kill()
        child.communicate()
