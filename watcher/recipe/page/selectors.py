"""How a place in an answer is found: `css:.when | regex:at (.+)$`.

    css:SELECTOR          an element, read as its text
    css:SELECTOR@attr     an attribute of it; css:@attr, of the element at hand
    json:EXPR             JMESPath
    regex:PATTERN         the first group, or the whole match where there is none
    text:WORDS            there where these words stand, without regard to case and extra spaces
    status:CODE           there where the answer's status is this; status:5xx for a hundred of them
    url:PART              the answer's address, where this part stands in it
    header:NAME           a header of the answer

Selectors may be piped: each one goes on from what the one before it found. The only module that touches JMESPath.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import jmespath
import jmespath.exceptions

from watcher.errors import UnexpectedAnswer
from watcher.recipe.page.page import Element, PageLocation, Text, Value
from watcher.recipe.page.patterns import compile_pattern, search
from watcher.text.html import css_error
from watcher.text.printable import clean

MAX_LENGTH: Final = 1000
"""Characters of a selector."""
_LONGEST_WORDS: Final = 20_000
_MOST_LISTS: Final = 3
"""Lists that a JMESPath expression may build; each can double what it works on."""
_KINDS: Final = ("css", "json", "regex", "text", "status", "url", "header")
_WHOLE_ANSWER: Final = frozenset({"status", "url", "header"})
_BAR: Final = re.compile(r"\s\|\s+(?=(?:" + "|".join(_KINDS) + "):)")
_ATTRIBUTE: Final = re.compile(r"(?P<query>.*)@(?P<name>[A-Za-z_][-\w:.]*)", re.DOTALL)

_Find: TypeAlias = Callable[[PageLocation], Iterable[PageLocation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One selector, parsed. `text` is as the recipe has it."""

    text: str
    finders: tuple[_Find, ...]

    def all(self, spot: PageLocation) -> list[PageLocation]:
        """Everything that the last of the piped selectors finds in what those before it found first.

        Raises UnexpectedAnswer where the answer is not of the kind that the selector reads.
        """
        here: list[PageLocation] = [spot]
        for find in self.finders:
            if not here:
                return []
            here = self._found(find, here[0])
        return here

    def first(self, spot: PageLocation) -> PageLocation | None:
        """The first of `all`, or None."""
        found = self.all(spot)
        return found[0] if found else None

    def is_present(self, spot: PageLocation) -> bool:
        """Whether it finds anything, be it empty. Raises nothing: on an answer of another kind nothing is found."""
        try:
            return bool(self.all(spot))
        except UnexpectedAnswer:
            return False

    def is_true(self, spot: PageLocation) -> bool:
        """Whether it finds anything that means yes: in JSON, null, false, 0 and whatever is empty mean no."""
        try:
            found = self.all(spot)
        except UnexpectedAnswer:
            return False
        return any(bool(one.json) if isinstance(one, Value) else True for one in found)

    def text_at(self, spot: PageLocation) -> str | None:
        """The first of `all` as plain text; None where nothing is found or what is found is empty.

        Raises UnexpectedAnswer where it is too long, or is no text.
        """
        found = self.first(spot)
        if found is None:
            return None
        try:
            words = found.plain_text()
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{self.text!r}: {error}") from None
        if len(words) > _LONGEST_WORDS:
            raise UnexpectedAnswer(f"{self.text!r} finds more than {_LONGEST_WORDS} characters; select a smaller part")
        return words or None

    def _found(self, find: _Find, spot: PageLocation) -> list[PageLocation]:
        try:
            return list(find(spot))
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{self.text!r}: {error}") from None
        except (ValueError, ArithmeticError, RecursionError, jmespath.exceptions.JMESPathError):
            # The message of the library may quote the portal's answer.
            raise UnexpectedAnswer(f"{self.text!r} cannot be applied to this answer") from None


def parse_selector(text: str) -> Selector:
    """Reads a selector. Raises ValueError that says what would be right."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a selector has at most {MAX_LENGTH} characters")
    finds = tuple(_parse_one(part.strip(), place) for place, part in enumerate(_BAR.split(text.strip())))
    return Selector(text=text.strip(), finders=finds)


def _parse_one(text: str, index: int) -> _Find:
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS:
        known = ", ".join(f"{name}:" for name in _KINDS)
        raise ValueError(f"{_short(text)} is no selector; one begins with {known}")
    if index and kind in _WHOLE_ANSWER:
        raise ValueError(f"{kind}: looks at the answer as a whole and stands only at the beginning")
    return _PARSERS[kind](rest.strip() if kind != "regex" else rest)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - what fits on a line


def _css(text: str) -> _Find:
    match = _ATTRIBUTE.fullmatch(text)
    query, name = (match["query"].strip(), match["name"].lower()) if match else (text, None)
    if query and (fault := css_error(query)):
        raise ValueError(fault)
    if not query and name is None:
        raise ValueError("css: needs a selector, such as css:td.status or css:@data-id")

    def find(spot: PageLocation) -> Iterable[PageLocation]:
        here: list[Element] = spot.elements(query) if query else [spot] if isinstance(spot, Element) else []
        if name is None:
            return here
        return [value for one in here if (value := one.attribute(name)) is not None]

    return find


def _json(text: str) -> _Find:
    try:
        expression = jmespath.compile(text)
    except jmespath.exceptions.JMESPathError:
        raise ValueError(f"{_short(text)} is no JMESPath expression") from None
    except RecursionError:
        raise ValueError("the JMESPath expression is nested too deeply") from None
    if _lists_built(expression.parsed) > _MOST_LISTS:
        raise ValueError(f"the JMESPath expression builds more than {_MOST_LISTS} lists")

    def find(spot: PageLocation) -> Iterable[PageLocation]:
        found = expression.search(spot.value())
        several = found if isinstance(found, list) and _projects(expression.parsed) else [found]
        return [Value(page=spot.page, json=one) for one in several if one is not None]

    return find


def _lists_built(node: Any) -> int:
    return int(node["type"] == "multi_select_list") + sum(map(_lists_built, node["children"]))


def _projects(node: Any) -> bool:
    """Whether an expression gives its result one by one (`cases[*]`) rather than as one value (`cases`)."""
    if node["type"] in {"projection", "filter_projection", "value_projection", "flatten"}:
        return True
    return node["type"] in {"pipe", "subexpression"} and _projects(node["children"][-1])


def _regex(text: str) -> _Find:
    pattern = compile_pattern(text)

    def find(spot: PageLocation) -> Iterable[PageLocation]:
        try:
            found = search(pattern, spot.raw() if not isinstance(spot, Element) else spot.plain_text())
        except ValueError as error:
            raise UnexpectedAnswer(str(error)) from None
        return [] if found is None else [Text(page=spot.page, text=found)]

    return find


def _text(text: str) -> _Find:
    wanted = clean(text).casefold()
    if not wanted:
        raise ValueError("text: needs words to look for")

    def find(spot: PageLocation) -> Iterable[PageLocation]:
        here = spot.raw() if isinstance(spot, Value) else spot.plain_text()
        return [Text(page=spot.page, text=text)] if wanted in clean(here).casefold() else []

    return find


def _status(text: str) -> _Find:
    if not re.fullmatch(r"[1-5]([0-9]{2}|xx)", text):
        raise ValueError(f"status: needs a number such as 401, or 5xx, not {_short(text)}")
    wanted = re.compile(text.replace("x", "[0-9]"))

    def find(spot: PageLocation) -> Iterable[PageLocation]:
        status = str(spot.page.status)
        return [Text(page=spot.page, text=status)] if wanted.fullmatch(status) else []

    return find


def _url(text: str) -> _Find:
    def find(spot: PageLocation) -> Iterable[PageLocation]:
        return [Text(page=spot.page, text=spot.page.url)] if text in spot.page.url else []

    return find


def _header(text: str) -> _Find:
    if not re.fullmatch(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+", text):
        raise ValueError(f"header: needs the name of a header, such as X-CSRF-Token, not {_short(text)}")

    def find(spot: PageLocation) -> Iterable[PageLocation]:
        found = spot.page.headers.get(text.lower())
        return [] if found is None else [Text(page=spot.page, text=found)]

    return find


_PARSERS: Final[dict[str, Callable[[str], _Find]]] = {
    "css": _css,
    "json": _json,
    "regex": _regex,
    "text": _text,
    "status": _status,
    "url": _url,
    "header": _header,
}
