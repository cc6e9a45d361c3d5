"""XML as portals really send it, as a tree. Pure, within limits.

A `&` that begins no entity is a character, and so is a `<` that begins no tag. Entities are those of HTML: a document
cannot define its own, so nothing is expanded and nothing else is loaded. Elements must be closed, in order, because an
incomplete answer must not be taken for a whole one.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import mark

_MAX_DEPTH: Final = 200
_MAX_ELEMENTS: Final = 100_000
_NAME: Final = r"[^\W\d][\w.:-]*+"
_START: Final = re.compile(rf"""<({_NAME})((?:\s++{_NAME}\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'))*+)\s*+(/?)>""")
_END: Final = re.compile(rf"</({_NAME})\s*+>")
_ATTRIBUTE: Final = re.compile(rf"""({_NAME})\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_DOCTYPE: Final = re.compile(r"<!DOCTYPE[^\[>]{0,1000}+(?:\[[^\]]{0,20000}+\]\s{0,100}+)?>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SKIPPED: Final = (("<!--", "-->"), ("<?", "?>"))
_CDATA: Final = ("<![CDATA[", "]]>")
NOT_XML: Final = mark("the answer is not XML, or it is incomplete")


@dataclass(slots=True)
class XmlNode:
    """An element. `content` has texts and elements, in order."""

    name: str
    attributes: dict[str, str | None]
    content: "list[XmlNode | str]" = field(default_factory=list)

    def is_named(self, name: str) -> bool:
        """Return whether the element has this name, with or without its prefix; `*` is any."""
        return name in ("*", self.name, self.name.rpartition(":")[2])

    def below(self) -> "Iterator[XmlNode]":
        """Yield the element and all elements within it, in the order of the document."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack += [part for part in reversed(node.content) if isinstance(part, XmlNode)]

    def text(self) -> str:
        """Return all text within the element."""
        pieces, stack = [], list[XmlNode | str]([self])
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                pieces.append(part)
            else:
                stack += reversed(part.content)
        return "".join(pieces)


def find(within: XmlNode, path: str) -> list[XmlNode]:
    """Return the elements of a path such as `channel/item`: the first name anywhere within, the others as children."""
    first, *others = path.split("/")
    found = [node for node in within.below() if node.is_named(first)]
    for name in others:
        found = [part for node in found for part in node.content if isinstance(part, XmlNode) and part.is_named(name)]
    return found


def parse_xml(text: str) -> XmlNode:
    """Return the document, as an element without a name. Raises `UnexpectedAnswer`, whose message is English."""
    return _Parser(text).document()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at, self._count = text, 0, 0
        self._open = [XmlNode("", {})]

    def document(self) -> XmlNode:
        while self._at < len(self._text):
            start = self._text.find("<", self._at)
            if start < 0:
                start = len(self._text)
            self._add_text(self._text[self._at : start])
            self._at = start
            if start < len(self._text):
                self._markup()
        root = self._open[0]
        if len(self._open) > 1 or not any(isinstance(part, XmlNode) for part in root.content):
            raise UnexpectedAnswer(NOT_XML)
        return root

    def _markup(self) -> None:
        for begin, end in _SKIPPED:
            if self._text.startswith(begin, self._at):
                self._take_until(begin, end)
                return
        if self._text.startswith(_CDATA[0], self._at):
            self._open[-1].content.append(self._take_until(*_CDATA))
        elif not self._count and (doctype := _DOCTYPE.match(self._text, self._at)):
            self._at = doctype.end()
        elif end_tag := _END.match(self._text, self._at):
            self._close(end_tag)
        elif start_tag := _START.match(self._text, self._at):
            self._start(start_tag)
        else:
            self._add_text("<")
            self._at += 1

    def _take_until(self, begin: str, end: str) -> str:
        start = self._at + len(begin)
        stop = self._text.find(end, start)
        if stop < 0:
            raise UnexpectedAnswer(NOT_XML)
        self._at = stop + len(end)
        return self._text[start:stop]

    def _start(self, tag: re.Match[str]) -> None:
        self._at = tag.end()
        self._count += 1
        if self._count > _MAX_ELEMENTS or len(self._open) > _MAX_DEPTH:
            raise UnexpectedAnswer(mark("the XML has too many elements, or is nested too deeply"))
        pairs = _ATTRIBUTE.finditer(tag[2])
        node = XmlNode(tag[1], {pair[1].lower(): _resolved(pair[2] or pair[3] or "") for pair in pairs})
        self._open[-1].content.append(node)
        if not tag[3]:
            self._open.append(node)

    def _close(self, tag: re.Match[str]) -> None:
        self._at = tag.end()
        if len(self._open) == 1 or self._open[-1].name != tag[1]:
            raise UnexpectedAnswer(NOT_XML)
        self._open.pop()

    def _add_text(self, text: str) -> None:
        if text:
            self._open[-1].content.append(_resolved(text))


def _resolved(text: str) -> str:
    """Return a text with its entities replaced, once."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text
