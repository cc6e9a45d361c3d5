"""An HTML or XML document, parsed and searched in a child process with limits on time and memory: `document_child`.

Each thread has a child of its own. It starts with the first document and ends after a minute without one. A child that
takes too long is killed, and the next request starts another, so that one document never costs another one.
"""

import json
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import watcher
from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.recipe.page import document_child
from watcher.recipe.page.budget import Budget

ROOT: Final = 0
Kind: TypeAlias = Literal["html", "xml"]
By: TypeAlias = Literal["css", "row", "path"]
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundElement:
    """An element of a document. `number` names it in the document."""

    number: int
    tag: str
    attributes: dict[str, str | None] = field(repr=False)


class Document:
    """A document. Its methods raise `UnexpectedAnswer` if it is nested too deeply, or beyond the limits.

    `kind` is `html` or `xml`; an XML document that is damaged raises `UnexpectedAnswer` too.
    """

    def __init__(self, text: str, budget: Budget, kind: Kind = "html") -> None:
        """Nothing is parsed yet. All searches together have `budget`."""
        self._text, self._budget, self.kind = text, budget, kind
        self._number = next(_numbers)

    def find(self, by: By, query: str, *, within: int = ROOT) -> list[FoundElement]:
        """Return the elements that a query finds, among an element and its descendants.

        Queries by `css` (a CSS selector) and by `row` (a label) are for HTML, those by `path` (names) for XML.
        """
        found = self._ask(within, [by, query])["found"]
        return [FoundElement(number=number, tag=tag, attributes=attributes) for number, tag, attributes in found]

    def text_of(self, element: int = ROOT) -> str:
        """Return the visible text of an element; of a script, its content; of XML, all of it."""
        return str(self._ask(element, None)["text"])

    def contents_of(self, elements: Sequence[int]) -> list[str]:
        """Return text and source of many elements at once, each shortened; they are compared, not shown."""
        contents: list[str] = self._ask(ROOT, ["contents", json.dumps(list(elements))])["contents"]
        return contents

    def _ask(self, element: int, query: list[str] | None) -> dict[str, Any]:
        request = {"document": self._number, "kind": self.kind, "text": None, "element": element, "query": query}
        with self._budget.spend() as until:
            reply = _child().ask(request, until)
            if (reply is None and time.monotonic() < until) or (reply and "lacks" in reply):
                reply = _child().ask({**request, "text": self._text}, until)
        if reply is None:
            raise UnexpectedAnswer(_("the page cannot be searched within the limits on time and memory"))
        if "error" in reply:
            raise UnexpectedAnswer(_(str(reply["error"])))
        return reply


class _Child:
    """A child process. After it has failed to answer, it answers nothing any more."""

    def __init__(self) -> None:
        self._connection, child_end = Pipe()
        with child_end:
            self._process = _start(child_end.fileno())
        self._end = weakref.finalize(self, _kill, self._process, self._connection)

    @property
    def is_usable(self) -> bool:
        return self._end.alive

    def ask(self, request: dict[str, Any], until: float) -> dict[str, Any] | None:
        """Return the reply; None if it does not come until then (monotonic)."""
        try:
            self._connection.send_bytes(json.dumps(request).encode())
            if self._connection.poll(max(0.0, until - time.monotonic())):
                reply: dict[str, Any] = json.loads(self._connection.recv_bytes())
                return reply
        except (OSError, EOFError, ValueError):
            pass  # it has ended
        self._end()
        return None


_of_thread = threading.local()


def _child() -> _Child:
    """Return the child of this thread."""
    child: _Child | None = getattr(_of_thread, "child", None)
    if child is None or not child.is_usable:
        child = _of_thread.child = _Child()
    return child


def _start(connection: int) -> "subprocess.Popen[bytes]":
    path = [str(Path(watcher.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {document_child.__name__} import serve; serve({connection})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        pass_fds=(connection,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill(process: "subprocess.Popen[bytes]", connection: "Connection[Any, Any]") -> None:
    connection.close()
    process.kill()
    process.wait()
