"""The child process of `watcher.recipe.page.document`: parses HTML and XML and searches it, within limits on memory.

Parsing and CSS selectors take quadratic or even exponential time on hostile pages, and hold the interpreter's lock
meanwhile. Elements are named by their number in the order of the document, which is the same in every child.
"""

import json
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import mark
from watcher.recipe.page.label_rows import values_beside
from watcher.recipe.page.xml_tree import find, parse_xml
from watcher.text.html import HIDDEN_TAGS, parse_html, visible_text

if TYPE_CHECKING:
    from watcher.text.html import Node

_MEMORY_BYTES: Final = 256 * 1024 * 1024
_MAX_DOCUMENTS: Final = 4
_MAX_FOUND: Final = 100_000
"""The message below names this number."""
_MAX_CONTENT: Final = 2000
_IDLE: Final = 60.0
"""Seconds without a request after which the child ends."""


class _Html:
    def __init__(self, text: str) -> None:
        root = parse_html(text, memory_is_limited=True).root
        self.elements: list[Node] = [] if root is None else list(root.traverse(include_text=False))
        self._numbers = {node.mem_id: number for number, node in enumerate(self.elements)}

    def answer(self, element: int, query: Sequence[str] | None) -> dict[str, Any]:
        if not self.elements:
            return {"text": "", "found": []}
        node = self.elements[element]
        if query is None:
            return {"text": (node.text() if node.tag in HIDDEN_TAGS else visible_text(node)) or ""}
        by, text = query
        if by == "contents":
            chosen = [self.elements[number] for number in json.loads(text)]
            return {"contents": [_shortened(visible_text(node), node.html or "") for node in chosen]}
        found = node.css(text) if by == "css" else list(islice(values_beside(node, text), _MAX_FOUND))
        if len(found) > _MAX_FOUND:
            return {"error": mark("the selector finds more than 100,000 elements")}
        return {"found": [[self._numbers[node.mem_id], node.tag, node.attributes] for node in found]}


class _Xml:
    def __init__(self, text: str) -> None:
        self._nodes = list(parse_xml(text).below())
        self._numbers = {id(node): number for number, node in enumerate(self._nodes)}

    def answer(self, element: int, query: Sequence[str] | None) -> dict[str, Any]:
        node = self._nodes[element]
        if query is None:
            return {"text": node.text()}
        if query[0] == "contents":
            chosen = [self._nodes[number] for number in json.loads(query[1])]
            return {"contents": [_shortened(node.text(), repr(node.attributes)) for node in chosen]}
        return {"found": [[self._numbers[id(node)], node.name, node.attributes] for node in find(node, query[1])]}


def _shortened(text: str, source: str) -> str:
    return f"{text[:_MAX_CONTENT]}\n{source[:_MAX_CONTENT]}"


_PARSERS: Final[dict[str, Callable[[str], _Html | _Xml]]] = {"html": _Html, "xml": _Xml}


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not available on every system

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def serve(descriptor: int) -> None:
    """Answer requests from this descriptor until its other end is closed, or until none has come for a while.

    A request has number and `kind` of a `document`, its `text` if the child may lack it, the number of an `element`, a
    `query` with its kind, or null for the element's text. Errors are English; the parent translates them.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the parent, which ends this process itself
    logging.disable()
    _limit_memory()
    connection: Connection[Any, Any] = Connection(descriptor)
    documents: dict[int, _Html | _Xml] = {}
    with suppress(EOFError, OSError):
        while connection.poll(_IDLE):
            request = json.loads(connection.recv_bytes())
            connection.send_bytes(json.dumps(_reply(request, documents)).encode())


def _reply(request: dict[str, Any], documents: dict[int, _Html | _Xml]) -> dict[str, Any]:
    number = request["document"]
    if number not in documents and request["text"] is None:
        return {"lacks": True}
    try:
        if number not in documents:
            while len(documents) >= _MAX_DOCUMENTS:
                documents.pop(next(iter(documents)))
            documents[number] = _PARSERS[request["kind"]](request["text"])
        return documents[number].answer(request["element"], request["query"])
    except UnexpectedAnswer as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": mark("the page needs too much memory")}
