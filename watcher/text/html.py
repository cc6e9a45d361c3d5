"""HTML as a tree, and what a person sees of it: the only module that touches the HTML parser."""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from watcher.errors import UnexpectedAnswer

Tree: TypeAlias = LexborHTMLParser
Node: TypeAlias = LexborNode

_INLINE: Final = frozenset(
    re.findall(
        r"\w+",
        "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strong sub sup "
        "time tt u var wbr",
    )
)
UNSEEN: Final = frozenset({"script", "style", "template"})
"""Elements whose content nobody is shown."""
_TAG: Final = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_DEEPEST: Final = 10_000
"""Elements within elements; the parser takes a third of a second for as many, and four times that for twice as many."""
_NEVER_AROUND: Final = frozenset(
    re.findall(
        r"\w+",
        "area base br circle col colgroup dd dt embed hr img input li line link meta option p path polygon rect source "
        "stop tbody td tfoot th thead tr track use wbr",
    )
)
"""Elements that hold nothing, or whose end is mostly left out; they are not counted as nesting."""


def parsed(text: str) -> Tree:
    """The tree of a page. Raises UnexpectedAnswer for one that the parser would take minutes over, by its nesting."""
    depth = 0
    for tag in _TAG.finditer(text) if len(text) > _DEEPEST else ():
        if tag[2].lower() not in _NEVER_AROUND:
            depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _DEEPEST:
            raise UnexpectedAnswer("the page is nested too deeply")
    return Tree(text)


def visible(root: Node) -> str:
    """The text of an element, with white space where a block or a line ends; without scripts and styles."""
    return "".join(_pieces(root))


def _pieces(root: Node) -> Iterator[str]:
    """Walks without recursion: a hostile page may be nested as deeply as it likes."""
    node: Node | None = root
    while node is not None:
        if node.is_text_node:
            yield node.text_content or ""
        elif node.tag not in _INLINE:
            yield "\n"
        below = node.first_child if node.tag not in UNSEEN else None
        if below is not None:
            node = below
            continue
        while node is not None and node.mem_id != root.mem_id and node.next is None:
            node = node.parent
            if node is not None and node.tag not in _INLINE:
                yield "\n"
        node = None if node is None or node.mem_id == root.mem_id else node.next


def css_fault(query: str) -> str | None:
    """What is wrong with a CSS selector, or None."""
    try:
        Tree("<p></p>").css(query)
    except SelectolaxError:
        return f"{query!r} is no CSS selector that the program knows"
    return None
