"""The values beside a label: `row:Decision` is the cell after the one that says "Decision". Pure."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from watcher.text.html import HIDDEN_TAGS, visible_pieces
from watcher.text.printable import composed

if TYPE_CHECKING:
    from watcher.text.html import Node

_VALUE_TAGS: Final = {"td": ("td",), "th": ("td",), "dt": ("dd",)}
_OTHERS: Final = frozenset({"b", "div", "h2", "h3", "h4", "label", "li", "p", "span", "strong"})
_MAX_PIECES: Final = 50
_COLONS: Final = ":\N{FULLWIDTH COLON}"


def comparable_label(text: str) -> str:
    """Return a label as it is compared: without extra spaces, a colon at its end, and regard to letter case."""
    return composed(" ".join(text.split()).rstrip(f"{_COLONS} ").casefold())


def values_beside(root: "Node", label: str) -> "Iterator[Node]":
    """Yield the values beside a label, which is as `comparable_label` returns it, in the order of the document.

    A label in a table is a cell whose row goes on with a `td`; in other places, an element that another one follows.
    """
    for node in root.traverse(include_text=False):
        if (node.tag in _VALUE_TAGS or node.tag in _OTHERS) and _says(node, label):
            value = _next_element(node)
            if value is not None and value.tag in _VALUE_TAGS.get(node.tag, (value.tag,)):
                yield value


def _says(node: "Node", label: str) -> bool:
    """Return whether this is all that an element says. Of a long one, only the beginning is looked at."""
    pieces, length = [], 0
    for piece in islice(visible_pieces(node, HIDDEN_TAGS), _MAX_PIECES + 1):
        pieces.append(piece)
        length += len(piece.strip())
        if length > 2 * len(label) + _MAX_PIECES:
            return False
    return len(pieces) <= _MAX_PIECES and comparable_label("".join(pieces)) == label


def _next_element(node: "Node") -> "Node | None":
    following = node.next
    while following is not None and (following.is_text_node or (following.tag or "-").startswith("-")):
        following = following.next
    return following
