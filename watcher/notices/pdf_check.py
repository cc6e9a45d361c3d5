"""Check in a child process that a PDF opens.

A malicious or broken PDF can make its reader run for hours or use all memory. So the reader is a child process with
limits, and its crash affects nothing else. One child serves a whole check.
"""

import json
import struct
import subprocess
import sys
from pathlib import Path
from select import select
from types import TracebackType
from typing import Self

from watcher.messages import _
from watcher.notices.file_type import NotADocument

_CHILD = Path(__file__).with_name("pdf_child.py")
_SECONDS = 30.0
_FIRST_SECONDS = 60.0
"""The first answer may take longer, because the child imports its library first."""


class PdfChecker:
    """A child process that opens PDFs, one after the other. Leaving the context ends it."""

    def __init__(self, *, seconds: float = _SECONDS, child: Path = _CHILD) -> None:
        """The child starts with the first document. `seconds` is the time limit for one document."""
        self._seconds, self._child = seconds, child
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def check(self, content: bytes) -> None:
        """Raise `NotADocument` if the PDF does not open, or not within the limits on time and memory."""
        self._answer(content)

    def text(self, content: bytes) -> str:
        """Return the text of a PDF, "" if it has none that can be read. Raises `NotADocument` as `check` does."""
        return str(json.loads(self._answer(content, with_text=True)))

    def _answer(self, content: bytes, *, with_text: bool = False) -> str:
        """Return what follows the verdict that the PDF opens."""
        timeout = self._seconds if self._process else max(self._seconds, _FIRST_SECONDS)
        verdict = self._ask(self._child_process(), content, timeout, with_text=with_text)
        if verdict is None:
            self._end()
            raise NotADocument(_("the PDF does not open within the limits on time and memory"))
        opens, _tab, more = verdict.partition("\t")
        if opens != "opens":
            raise NotADocument(_("the PDF does not open: {error}", error=verdict))
        return more

    def _child_process(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(self._child)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    @staticmethod
    def _ask(child: "subprocess.Popen[bytes]", content: bytes, timeout: float, *, with_text: bool) -> str | None:
        """Return the child's line; None if it gave none in time."""
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            child.stdin.write(struct.pack(">?Q", with_text, len(content)))
            child.stdin.write(content)
            child.stdin.flush()
        except OSError:
            return None
        ready, _, _ = select([child.stdout], [], [], timeout)
        line = child.stdout.readline() if ready else b""
        return line.decode("ascii", "replace").strip() or None

    def _end(self) -> None:
        child, self._process = self._process, None
        if child is None:
            return
        child.kill()
        child.communicate()
