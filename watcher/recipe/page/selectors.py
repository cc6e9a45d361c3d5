"""Selectors, which find locations in an answer: `css:.when | regex:at (.+)$`.

    css:SELECTOR          an element, as its text
    css:SELECTOR@attr     an attribute of it; css:@attr, of the current element
    row:LABEL             the cell after the one that says this, in any letter case
    xml:PATH              an element of XML: xml:item/title, xml:item@id
    json:EXPR             JMESPath
    regex:PATTERN         the first group, or the whole match if there is no group
    text:WORDS            these words, in any letter case and spacing, if the text contains them
    status:CODE           the answer's status if it is this one; status:5xx for a range
    url:PART              the answer's address if it contains this part
    header:NAME           a header of the answer
    split:SEPARATOR       the parts of a text: the first one, or split:SEPARATOR #2 for the second one

A piped selector continues from the result of the one before it. All searches on one answer share its time budget.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.recipe.page.budget import OutOfTime
from watcher.recipe.page.document import By
from watcher.recipe.page.json_query import JsonQuery, JsonQueryFailed
from watcher.recipe.page.label_rows import comparable_label
from watcher.recipe.page.page import Element, PageLocation, Text, Value
from watcher.recipe.page.patterns import compile_pattern, search
from watcher.text.html import css_error
from watcher.text.printable import clean

MAX_LENGTH: Final = 1000
"""Characters in a selector."""
_MAX_TEXT_LENGTH: Final = 20_000
_KINDS: Final = ("css", "row", "xml", "json", "regex", "split", "text", "status", "url", "header")
_WHOLE_ANSWER: Final = frozenset({"status", "url", "header"})
_PIPE: Final = re.compile(r"\s\|\s+(?=(?:" + "|".join(_KINDS) + "):)")
_XML_NAME: Final = re.compile(r"[^\W\d][\w.:-]*")
_XML_PATH: Final = re.compile(r"(?:\*|[^\W\d][\w.:-]*)(?:/(?:\*|[^\W\d][\w.:-]*))*")
_SPLIT: Final = re.compile(r"(.+?)\s+#([0-9]{1,2})", re.DOTALL)
_MAX_PARTS: Final = 100
_ATTRIBUTE: Final = re.compile(r"(?P<query>.*)@(?P<name>[A-Za-z_][-\w:.]*)", re.DOTALL)

_Finder: TypeAlias = Callable[[PageLocation], Iterable[PageLocation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A parsed selector. `text` is as the recipe has it, at `place` (its file and line)."""

    text: str
    place: str
    finders: tuple[_Finder, ...]

    def all(self, location: PageLocation) -> list[PageLocation]:
        """Return all results of the last piped selector. Each of those before it passes on only its first result.

        Raises UnexpectedAnswer if the answer is not of the kind that the selector works on.
        """
        results: list[PageLocation] = [location]
        for find in self.finders:
            if not results:
                return []
            results = self._apply(find, results[0])
        return results

    def first(self, location: PageLocation) -> PageLocation | None:
        """Return the first result of `all`, or None."""
        results = self.all(location)
        return results[0] if results else None

    def is_present(self, location: PageLocation) -> bool:
        """Return whether it finds anything, even if empty. False for an answer of another kind."""
        try:
            return bool(self.all(location))
        except OutOfTime:
            raise
        except UnexpectedAnswer:
            return False

    def is_true(self, location: PageLocation) -> bool:
        """Return whether it finds anything but JSON's null, false, 0, and empty values."""
        try:
            results = self.all(location)
        except OutOfTime:
            raise
        except UnexpectedAnswer:
            return False
        return any(bool(result.json) if isinstance(result, Value) else True for result in results)

    def text_at(self, location: PageLocation) -> str | None:
        """Return the first result as plain text; None without a result or if it is empty.

        Raises UnexpectedAnswer if it is too long or not a text.
        """
        result = self.first(location)
        if result is None:
            return None
        try:
            text = result.plain_text()
        except UnexpectedAnswer as error:
            raise self._named(error) from None
        if len(text) > _MAX_TEXT_LENGTH:
            raise UnexpectedAnswer(
                _(
                    "{text!r} finds more than {limit} characters; select a smaller part",
                    text=self.text,
                    limit=_MAX_TEXT_LENGTH,
                )
            )
        return text or None

    def _named(self, error: UnexpectedAnswer) -> UnexpectedAnswer:
        if isinstance(error, OutOfTime):
            place = self.place or _("the recipe")
            return OutOfTime(f"{place}: {self.text!r}: {error}")
        return UnexpectedAnswer(f"{self.text!r}: {error}")

    def _apply(self, find: _Finder, location: PageLocation) -> list[PageLocation]:
        try:
            return list(find(location))
        except UnexpectedAnswer as error:
            raise self._named(error) from None
        except (ValueError, ArithmeticError, RecursionError, JsonQueryFailed):
            # The message of the library may quote the portal's answer.
            raise UnexpectedAnswer(_("{text!r} cannot be applied to this answer", text=self.text)) from None


def parse_selector(text: str, place: str = "") -> Selector:
    """Parse a selector; `place` is its file and line. Raises ValueError with what to correct."""
    if len(text) > MAX_LENGTH:
        raise ValueError(_("a selector has at most {limit} characters", limit=MAX_LENGTH))
    finds = tuple(_parse_one(part.strip(), place) for place, part in enumerate(_PIPE.split(text.strip())))
    return Selector(text=text.strip(), place=place, finders=finds)


def _parse_one(text: str, index: int) -> _Finder:
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS:
        known = ", ".join(f"{name}:" for name in _KINDS)
        raise ValueError(_("{text} is not a selector; a selector starts with {known}", text=_short(text), known=known))
    if index and kind in _WHOLE_ANSWER:
        raise ValueError(_("{kind}: applies to the whole answer, so it can only come first", kind=kind))
    return _PARSERS[kind](rest.strip() if kind != "regex" else rest)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - what fits on a line


def _css(text: str) -> _Finder:
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


def _row(text: str) -> _Finder:
    if not (label := comparable_label(text)):
        raise ValueError(_("row: needs the text of a label, such as row:Date of decision"))
    return partial(_find_elements, "row", label, None)


def _xml(text: str) -> _Finder:
    path, _at, name = text.partition("@")
    if not (_XML_PATH.fullmatch(path) or (name and not path)) or (_at and not _XML_NAME.fullmatch(name)):
        raise ValueError(_("xml: needs names of elements, such as xml:item/title or xml:item@id"))
    return partial(_find_elements, "path", path, name.lower() or None)


def _split(text: str) -> _Finder:
    match = _SPLIT.fullmatch(text)
    separator, number = (match[1], match[2]) if match else (text, None)
    if not separator or number == "0":
        raise ValueError(_("split: needs a separator, such as split:; or split:; #2 for the second part"))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        content = location.plain_text() if isinstance(location, Element) else location.raw()
        parts = [Text(page=location.page, text=part.strip()) for part in content.split(separator, _MAX_PARTS)]
        return parts if number is None else parts[int(number) - 1 : int(number)]

    return find


def _json(text: str) -> _Finder:
    try:
        query = JsonQuery(text)
    except JsonQueryFailed:
        raise ValueError(_("{text} is not a JMESPath expression", text=_short(text))) from None

    def find(location: PageLocation) -> Iterable[PageLocation]:
        with location.page.budget.spend() as until:
            values = query.values(location.value(), until)
        return [Value(page=location.page, json=value) for value in values if value is not None]

    return find


def _regex(text: str) -> _Finder:
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


def _text(text: str) -> _Finder:
    words = clean(text).casefold()
    if not words:
        raise ValueError(_("text: needs words to search for"))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        content = location.raw() if isinstance(location, Value) else location.plain_text()
        return [Text(page=location.page, text=text)] if words in clean(content).casefold() else []

    return find


def _status(text: str) -> _Finder:
    if not re.fullmatch(r"[1-5]([0-9]{2}|xx)", text):
        raise ValueError(_("status: needs a number such as 401, or 5xx, not {text}", text=_short(text)))
    pattern = re.compile(text.replace("x", "[0-9]"))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        status = str(location.page.status)
        return [Text(page=location.page, text=status)] if pattern.fullmatch(status) else []

    return find


def _url(text: str) -> _Finder:
    def find(location: PageLocation) -> Iterable[PageLocation]:
        return [Text(page=location.page, text=location.page.url)] if text in location.page.url else []

    return find


def _header(text: str) -> _Finder:
    if not re.fullmatch(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+", text):
        raise ValueError(_("header: needs the name of a header, such as X-CSRF-Token, not {text}", text=_short(text)))

    def find(location: PageLocation) -> Iterable[PageLocation]:
        value = location.page.headers.get(text.lower())
        return [] if value is None else [Text(page=location.page, text=value)]

    return find


_PARSERS: Final[dict[str, Callable[[str], _Finder]]] = {
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
