"""An answer as selectors see it, and a place on it: the whole, an element, a JSON value or a mere text.

Everything here is a function of the answer.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urljoin

from watcher.errors import UnexpectedAnswer
from watcher.model.change import Json
from watcher.text.charset import read_text
from watcher.text.html import HIDDEN_TAGS, parse_html, plain_text_of, visible_text
from watcher.text.json import read_json
from watcher.text.printable import clean

if TYPE_CHECKING:
    from watcher.text.html import Node, Tree

_ADDRESSES: Final = frozenset({"href", "src", "action"})
_BEGINNING: Final = 10_000


class PageLocation(Protocol):
    """A place that a selector starts from or has found."""

    @property
    def page(self) -> "Page":
        """The answer it is on."""
        ...

    def elements(self, query: str) -> "list[Element]":
        """The elements here that a CSS selector matches."""
        ...

    def raw(self) -> str:
        """The text here as it came."""
        ...

    def plain_text(self) -> str:
        """What a person would read here, cleaned."""
        ...

    def value(self) -> Json:
        """What stands here as JSON. Raises UnexpectedAnswer where it is none."""
        ...

    def items(self) -> "list[PageLocation]":
        """Its parts where it is a JSON list; else itself alone."""
        ...


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer. `headers` are looked up in lower case."""

    status: int
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def page(self) -> "Page":
        """Itself."""
        return self

    @cached_property
    def _text(self) -> str:
        return read_text(self.body, self.headers.get("content-type", ""))

    @cached_property
    def _html(self) -> "Tree":
        return parse_html(self._text)

    @cached_property
    def _json(self) -> Json:
        return _json(self.body, self.url)

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON, or looks so."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind.endswith(("/json", "+json")) or self.body.lstrip()[:1] in {b"{", b"["}

    def ends_with(self, end: str) -> bool:
        """Whether a whole HTML document has `end` somewhere (whatever its case); true of anything else."""
        document = not self.is_json and re.search("<html[ >]", self._text[:_BEGINNING], re.IGNORECASE) is not None
        return not document or end.lower() in self._text.lower()

    def elements(self, query: str) -> "list[Element]":
        """The elements of the page that a CSS selector matches, in its order; none on JSON."""
        return [] if self.is_json else [Element(page=self, node=node) for node in self._html.css(query)]

    def raw(self) -> str:
        """The body as text."""
        return self._text

    def plain_text(self) -> str:
        """The visible text of a page; the body where it is none."""
        if self.is_json or self._html.root is None:
            return clean(self._text)
        return plain_text_of(visible_text(self._html.root))

    def value(self) -> Json:
        """The body as JSON. Raises UnexpectedAnswer."""
        return self._json

    def items(self) -> list[PageLocation]:
        """Itself."""
        return [self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element of a page."""

    page: Page
    node: "Node"

    def elements(self, query: str) -> "list[Element]":
        """The element itself and those within that match."""
        return [Element(page=self.page, node=node) for node in self.node.css(query)]

    def attribute(self, name: str) -> "Text | None":
        """An attribute, or None where it has none of this name. Addresses come whole, however the page wrote them."""
        attributes = self.node.attributes
        if name not in attributes:
            return None
        written = attributes[name] or ""
        return Text(page=self.page, text=_address(self.page.url, written) if name in _ADDRESSES else written)

    def raw(self) -> str:
        """The visible text; of a script, its content."""
        return (self.node.text() if self.node.tag in HIDDEN_TAGS else visible_text(self.node)) or ""

    def plain_text(self) -> str:
        """The visible text, cleaned; of a script, its content."""
        return clean(self.raw()) if self.node.tag in HIDDEN_TAGS else plain_text_of(self.raw())

    def value(self) -> Json:
        """JSON that stands in the element, as in a `script`. Raises UnexpectedAnswer."""
        return _json(self.raw().encode("utf-8", "replace"), self.page.url)

    def items(self) -> list[PageLocation]:
        """Itself."""
        return [self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that an attribute or a pattern gave."""

    page: Page
    text: str = field(repr=False)

    def elements(self, query: str) -> "list[Element]":
        """The elements of HTML that stands in the text."""
        inner = Page(status=self.page.status, url=self.page.url, headers={}, body=b"")
        return [Element(page=inner, node=node) for node in parse_html(self.text).css(query)]

    def raw(self) -> str:
        """The text."""
        return self.text

    def plain_text(self) -> str:
        """The text, cleaned."""
        return clean(self.text)

    def value(self) -> Json:
        """The text as JSON. Raises UnexpectedAnswer."""
        return _json(self.text.encode("utf-8", "replace"), self.page.url)

    def items(self) -> list[PageLocation]:
        """Itself."""
        return [self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value in a JSON answer; never null."""

    page: Page
    json: Json = field(repr=False)

    def elements(self, query: str) -> "list[Element]":
        """The elements of HTML that stands in a string."""
        return Text(page=self.page, text=self.json).elements(query) if isinstance(self.json, str) else []

    def raw(self) -> str:
        """A string as it is, anything else as JSON writes it."""
        return self.json if isinstance(self.json, str) else json.dumps(self.json, ensure_ascii=False)

    def plain_text(self) -> str:
        """The value as plain text, cleaned. Raises UnexpectedAnswer for a list or an object."""
        if isinstance(self.json, list | dict):
            raise UnexpectedAnswer("a list or an object stands where a text was expected")
        return clean(self.raw())

    def value(self) -> Json:
        """The value."""
        return self.json

    def items(self) -> list[PageLocation]:
        """The entries of a list, without those that are null; else itself."""
        if not isinstance(self.json, list):
            return [self]
        return [Value(page=self.page, json=entry) for entry in self.json if entry is not None]


def _json(body: bytes, url: str) -> Json:
    try:
        read: Json = read_json(body)
    except UnexpectedAnswer:
        raise UnexpectedAnswer(f"{_without_query(url)} answered with something that is not JSON") from None
    return read


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _address(base: str, written: str) -> str:
    try:
        return urljoin(base, written.strip())
    except ValueError:  # brackets that are no IPv6 address
        return written
