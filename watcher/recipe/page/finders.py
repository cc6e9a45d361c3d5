"""What each kind of selector finds; see `watcher.recipe.page.selectors`."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, TypeAlias

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.recipe.page.document import By
from watcher.recipe.page.json_query import JsonQuery, JsonQueryFailed
from watcher.recipe.page.label_rows import comparable_label
from watcher.recipe.page.page import Element, PageLocation, Text, Value
from watcher.recipe.page.patterns import compile_pattern, search
from watcher.text.html import css_error
from watcher.text.printable import clean

KINDS: Final = ("css", "row", "xml", "json", "regex", "split", "text", "status", "url", "header")
_WHOLE_ANSWER: Final = frozenset({"status", "url", "header"})
_XML_NAME: Final = re.compile(r"[^\W\d][\w.:-]*")
_XML_PATH: Final = re.compile(r"(?:\*|[^\W\d][\w.:-]*)(?:/(?:\*|[^\W\d][\w.:-]*))*")
_SPLIT: Final = re.compile(r"(.+?)\s+#([0-9]{1,2})", re.DOTALL)
_MAX_PARTS: Final = 100
_ATTRIBUTE: Final = re.compile(r"(?P<query>.*)@(?P<name>[A-Za-z_][-\w:.]*)", re.DOTALL)

Finder: TypeAlias = Callable[[PageLocation], Iterable[PageLocation]]


def parse_finder(text: str, index: int) -> Finder:
    """Parse one selector of a pipe, at a position from 0. Raises ValueError with what to correct."""
    kind, colon, rest = text.partition(":")
    if not colon or kind not in KINDS:
        known = ", ".join(f"{name}:" for name in KINDS)
        raise ValueError(_("{text} is not a selector; a selector starts with {known}", text=_short(text), known=known))
    if index and kind in _WHOLE_ANSWER:
        raise ValueError(_("{kind}: applies to the whole answer, so it can only come first", kind=kind))
    return _PARSERS[kind](rest.strip() if kind != "regex" else rest)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - what fits on a line


def _css(text: str) -> Finder:
    match = _ATTRIBUTE.fullmatch(text)
    query, name = (match["query"].strip(), match["name"].lower()) if match else (text, None)
    if query and (fault := css_error(query)):
        raise ValueError(fault)
    if not query and name is None:
        raise ValueError(_("css: needs a selector, such as css:td.status or css:@data-id"))

    return partial(_find_elements, "css", query, name)


def _find_elements(by: By, query: str, name: str | None, location: PageLocation) -> Iterable[PageLocation]:
    """Return the elements that a query finds, or their attributes; without a query, those of the current element."""
    elements = location.find(by, query) if query else [location] if isinstance(location, Element) else []
    if name is None:
        return elements
    return [value for element in elements if (value := element.attribute(name)) is not None]


def _row(text: str) -> Finder:
    if not (label := comparable_label(text)):
        raise ValueError(_("row: needs the text of a label, such as row:Date of decision"))
    return partial(_find_elements, "row", label, None)


def _xml(text: str) -> Finder:
    path, _at, name = text.partition("@")
    if not (_XML_PATH.fullmatch(path) or (name and not path)) or (_at and not _XML_NAME.fullmatch(name)):
        raise ValueError(_("xml: needs names of elements, such as xml:item/title or xml:item@id"))
    return partial(_find_elements, "path", path, name.lower() or None)


def _split(text: str) -> Finder:
    match = _SPLIT.fullmatch(text)
    separator, number = (match[1], match[2]) if match else (text, None)
    if not separator or number == "0":
        raise ValueError(_("split: needs a separator, such as split:; or split:; #2 for the second part"))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        content = location.plain_text() if isinstance(location, Element) else location.raw()
        parts = [Text(page=location.page, text=part.strip()) for part in content.split(separator, _MAX_PARTS)]
        return parts if number is None else parts[int(number) - 1 : int(number)]

    return find


def _json(text: str) -> Finder:
    try:
        query = JsonQuery(text)
    except JsonQueryFailed:
        raise ValueError(_("{text} is not a JMESPath expression", text=_short(text))) from None

    def find(location: PageLocation) -> Iterable[PageLocation]:
        with location.page.budget.spend() as until:
            values = query.values(location.value(), until)
        return [Value(page=location.page, json=value) for value in values if value is not None]

    return find


def _regex(text: str) -> Finder:
    pattern = compile_pattern(text)

    def find(location: PageLocation) -> Iterable[PageLocation]:
        text = location.raw() if not isinstance(location, Element) else location.plain_text()
        try:
            with location.page.budget.spend():
                match = search(pattern, text)
        except ValueError as error:
            raise UnexpectedAnswer(str(error)) from None
        return [] if match is None else [Text(page=location.page, text=match)]

    return find


def _text(text: str) -> Finder:
    words = clean(text).casefold()
    if not words:
        raise ValueError(_("text: needs words to search for"))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        content = location.raw() if isinstance(location, Value) else location.plain_text()
        return [Text(page=location.page, text=text)] if words in clean(content).casefold() else []

    return find


def _status(text: str) -> Finder:
    if not re.fullmatch(r"[1-5]([0-9]{2}|xx)", text):
        raise ValueError(_("status: needs a number such as 401, or 5xx, not {text}", text=_short(text)))
    pattern = re.compile(text.replace("x", "[0-9]"))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        status = str(location.page.status)
        return [Text(page=location.page, text=status)] if pattern.fullmatch(status) else []

    return find


def _url(text: str) -> Finder:
    def find(location: PageLocation) -> Iterable[PageLocation]:
        return [Text(page=location.page, text=location.page.url)] if text in location.page.url else []

    return find


def _header(text: str) -> Finder:
    if not re.fullmatch(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+", text):
        raise ValueError(_("header: needs the name of a header, such as X-CSRF-Token, not {text}", text=_short(text)))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        value = location.page.headers.get(text.lower())
        return [] if value is None else [Text(page=location.page, text=value)]

    return find


_PARSERS: Final[dict[str, Callable[[str], Finder]]] = {
    "css": _css,
    "row": _row,
    "xml": _xml,
    "split": _split,
    "json": _json,
    "regex": _regex,
    "text": _text,
    "status": _status,
    "url": _url,
    "header": _header,
}
