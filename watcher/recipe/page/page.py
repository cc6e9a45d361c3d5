"""An answer, and locations on it: the whole answer, an element, a JSON value, or a text. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol
from urllib.parse import urljoin

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.model.change import Json
from watcher.privacy.redaction import redact_secrets
from watcher.recipe.page.budget import Budget
from watcher.recipe.page.document import ROOT, By, Document, FoundElement
from watcher.text.charset import read_text
from watcher.text.html import HIDDEN_TAGS, plain_text, plain_text_of
from watcher.text.json import read_json
from watcher.text.printable import clean

_ADDRESSES: Final = frozenset({"href", "src", "action"})
_MAX_JSON_TEXT: Final = 1_000_000
_DOCTYPE_WITHIN: Final = 10_000


class PageLocation(Protocol):
    """A location that a selector starts from or returns."""

    @property
    def page(self) -> "Page":
        """The answer that the location is on."""
        ...

    def find(self, by: By, query: str) -> "list[Element]":
        """Return the elements at this location that a query finds; see `watcher.recipe.page.document`."""
        ...

    def raw(self) -> str:
        """Return the text as it was sent."""
        ...

    def plain_text(self) -> str:
        """Return the text that a person sees, on one line and printable."""
        ...

    def value(self) -> Json:
        """Return the content as JSON. Raises UnexpectedAnswer if it is not JSON."""
        ...

    def items(self) -> "list[PageLocation]":
        """Return the items of a JSON list, else only this location."""
        ...


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer. The names of `headers` are in lower case."""

    status: int
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def page(self) -> "Page":
        """This page."""
        return self

    @cached_property
    def _text(self) -> str:
        return read_text(self.body, self.headers.get("content-type", ""))

    @cached_property
    def budget(self) -> Budget:
        """The time for all searches on the page."""
        return Budget()

    @cached_property
    def _html(self) -> Document:
        return Document(self._text, self.budget)

    @cached_property
    def _xml(self) -> Document:
        return Document(self._text, self.budget, "xml")

    @cached_property
    def _plain_text(self) -> str:
        return clean(self._text) if self.is_json else plain_text_of(self._html.text_of())

    @cached_property
    def _json(self) -> Json:
        return _json(self.body, self.url)

    @property
    def is_json(self) -> bool:
        """Whether the answer is declared as JSON or looks like JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind.endswith(("/json", "+json")) or self.body.lstrip()[:1] in {b"{", b"["}

    def ends_with(self, end: str) -> bool:
        """Return whether an HTML document contains `end`, in any letter case. True for anything but a document."""
        is_document = not self.is_json and re.search("<html[ >]", self._text[:_DOCTYPE_WITHIN], re.IGNORECASE)
        return not is_document or end.lower() in self._text.lower()

    def find(self, by: By, query: str) -> "list[Element]":
        """Return the elements that a query finds, in the order of the page; none in JSON."""
        return [] if self.is_json else _found(self, self._xml if by == "path" else self._html, by, query)

    def raw(self) -> str:
        """Return the body as text."""
        return self._text

    def plain_text(self) -> str:
        """Return the visible text of an HTML page; the cleaned body of any other answer."""
        return self._plain_text

    def value(self) -> Json:
        """Return the body as JSON. Raises UnexpectedAnswer."""
        return self._json

    def items(self) -> list[PageLocation]:
        """Return only this location."""
        return [self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element of a page: of HTML or of XML, whose text may contain HTML."""

    page: Page
    document: Document
    found: FoundElement

    @property
    def _is_xml(self) -> bool:
        return self.document.kind == "xml"

    def find(self, by: By, query: str) -> "list[Element]":
        """Return those that a query finds among the element and its descendants, or in the HTML in XML."""
        if self._is_xml is (by == "path"):
            return _found(self.page, self.document, by, query, within=self.found.number)
        return Text(page=self.page, text=self.raw()).find(by, query) if self._is_xml else []

    def attribute(self, name: str) -> "Text | None":
        """Return an attribute, or None if the element lacks it. Addresses are made absolute."""
        attributes = self.found.attributes
        if name not in attributes:
            return None
        value = attributes[name] or ""
        return Text(page=self.page, text=_absolute(self.page.url, value) if name in _ADDRESSES else value)

    def raw(self) -> str:
        """Return the visible text; of a script, its content; of XML, its text, which may contain HTML."""
        return self.document.text_of(self.found.number)

    def plain_text(self) -> str:
        """Return the visible text, cleaned; of a script, its content."""
        if self._is_xml:
            return plain_text(self.raw())
        return clean(self.raw()) if self.found.tag in HIDDEN_TAGS else plain_text_of(self.raw())

    def value(self) -> Json:
        """Return the JSON in the element, such as a `script`. Raises UnexpectedAnswer."""
        return _json(self.raw().encode("utf-8", "replace"), self.page.url)

    def items(self) -> list[PageLocation]:
        """Return only this location."""
        return [self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text from an attribute or a pattern."""

    page: Page
    text: str = field(repr=False)

    def find(self, by: By, query: str) -> "list[Element]":
        """Return what a query finds in the text, parsed as HTML or XML."""
        return _found(self.page, Document(self.text, self.page.budget, "xml" if by == "path" else "html"), by, query)

    def raw(self) -> str:
        """Return the text."""
        return self.text

    def plain_text(self) -> str:
        """Return the text, cleaned."""
        return clean(self.text)

    def value(self) -> Json:
        """Return the text as JSON. Raises UnexpectedAnswer."""
        return _json(self.text.encode("utf-8", "replace"), self.page.url)

    def items(self) -> list[PageLocation]:
        """Return only this location."""
        return [self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value in a JSON answer, never null."""

    page: Page
    json: Json = field(repr=False)

    def find(self, by: By, query: str) -> "list[Element]":
        """Return what a query finds in a string, parsed as HTML or XML; nothing in any other value."""
        return Text(page=self.page, text=self.json).find(by, query) if isinstance(self.json, str) else []

    def raw(self) -> str:
        """Return a string as it is, any other value as JSON text."""
        return self.json if isinstance(self.json, str) else _json_text(self.json)

    def plain_text(self) -> str:
        """Return the value as text, cleaned. Raises UnexpectedAnswer for a list or an object."""
        if isinstance(self.json, list | dict):
            raise UnexpectedAnswer(_("expected text, but found a list or an object"))
        return clean(self.raw())

    def value(self) -> Json:
        """Return the value."""
        return self.json

    def items(self) -> list[PageLocation]:
        """Return the items of a list without null, else only this location."""
        if not isinstance(self.json, list):
            return [self]
        return [Value(page=self.page, json=item) for item in self.json if item is not None]


def _found(page: Page, document: Document, by: By, query: str, *, within: int = ROOT) -> list[Element]:
    found = document.find(by, query, within=within)
    return [Element(page=page, document=document, found=element) for element in found]


def contents_of(locations: Sequence[PageLocation]) -> list[str]:
    """Return what may be searched for a text at each location, for elements with one request."""
    elements = [location for location in locations if isinstance(location, Element)]
    documents = {id(element.document): element.document for element in elements}
    if len(elements) < len(locations) or len(documents) != 1:
        return [location.raw() for location in locations]
    (document,) = documents.values()
    return document.contents_of([element.found.number for element in elements])


def _json_text(value: Json) -> str:
    """Return a value as JSON. A value may contain the same part many times, so its text is limited."""
    pieces, length = [], 0
    for piece in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        pieces.append(piece)
        length += len(piece)
        if length > _MAX_JSON_TEXT:
            raise UnexpectedAnswer(_("the list or object is too long for a text; select a smaller part"))
    return "".join(pieces)


def _json(body: bytes, url: str) -> Json:
    try:
        value: Json = read_json(body)
    except UnexpectedAnswer:
        raise UnexpectedAnswer(
            _("{address} returned something that is not JSON", address=readable_address(url))
        ) from None
    return value


def readable_address(url: str) -> str:
    """Return an address for a message: without its query, and without a secret that is part of its path."""
    return redact_secrets(url.partition("?")[0].partition("#")[0])


def _absolute(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:  # brackets without an IPv6 address
        return address
