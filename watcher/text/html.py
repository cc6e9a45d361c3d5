"""HTML as a tree, and the text that a person sees of it. The only module that imports the HTML parser."""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.text.charset import read_text
from watcher.text.printable import clean

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

    Tree: TypeAlias = LexborHTMLParser
    Node: TypeAlias = LexborNode

_INLINE: Final = frozenset(
    re.findall(
        r"\w+",
        "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strong sub sup "
        "time tt u var wbr",
    )
)
HIDDEN_TAGS: Final = frozenset({"script", "style", "template"})
"""Elements whose content is not shown."""
_HIDDEN: Final = HIDDEN_TAGS | {"head", "noscript", "title"}
_NOT_SEPARATING: Final = _INLINE | _HIDDEN
_ELEMENTS: Final = _NOT_SEPARATING | frozenset(
    re.findall(
        r"\w+",
        "address area article aside audio base blockquote body br button canvas caption center col colgroup "
        "datalist dd details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 "
        "h2 h3 h4 h5 h6 header hgroup hr html iframe img input legend li link main map menu meta meter nav object "
        "ol optgroup option output p param picture pre progress rp rt ruby section select slot source strike "
        "summary svg table tbody td textarea tfoot th thead tr track ul video",
    )
)
"""The elements of HTML. What stands in angle brackets under another name, without attributes, is text."""
_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "address article audio body button caption center cite code data details dialog figure form frame header "
        "label link main map mark menu object option output picture section source summary table time title track "
        "var video",
    )
)
"""Elements that a text may also name as a placeholder: alone, and without an end tag, they are text."""
_TAG: Final = re.compile(
    r"""<(?:[!?]|                                          # a comment, a declaration
        (?P<end>/?)(?P<name>[a-z][a-z0-9]*+(?:[:-][a-z0-9]+)*+)
        (?P<rest>(?:[\s/](?:[^<>"']|"[^"]*+"|'[^']*+')*+>|[\s/][^<>]*+>|>)))""",
    re.IGNORECASE | re.VERBOSE,
)
_TAG_OR_LESS_THAN: Final = re.compile(f"{_TAG.pattern}|<", _TAG.flags)
_WHOLE_TAG: Final = re.compile(rf"<[!?][^<>]*>|{_TAG.pattern}", _TAG.flags)
_NO_VALUES: Final = frozenset(
    re.findall(r"\w+", "async autofocus checked controls default defer disabled hidden multiple open selected")
)
"""Attributes that need no value."""
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""An entity with its semicolon, so not the beginning of `&copy=2` in an address."""
_END_TAG: Final = re.compile(r"</([A-Za-z]+)")
_NESTING_TAG: Final = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_BOM_AND_SPACE: Final = b"\xef\xbb\xbf \t\r\n"
_MAX_DEPTH: Final = 10_000
"""Nested elements; the parser takes a third of a second for this depth, and four times that for twice the depth."""
_MAX_PARSED: Final = 100_000
"""Characters of a text of which a tree is made; the parser takes up to three seconds for them."""
_FORMATTING_TAG: Final = re.compile(r"<(/?)(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
"""See https://html.spec.whatwg.org/multipage/parsing.html#the-list-of-active-formatting-elements."""
_MAX_ELEMENTS: Final = 300_000
_NOT_NESTING: Final = frozenset(
    re.findall(
        r"\w+",
        "area base br circle col colgroup dd dt embed hr img input li line link meta option p path polygon rect source "
        "stop tbody td tfoot th thead tr track use wbr",
    )
)
"""Elements without content, or whose end tag is usually left out; they do not count as nesting."""


def plain_text(markup: str) -> str:
    """Return the text that a person sees of `markup`, on one line and printable. Never raises.

    The end of a block becomes a space, an inline element does not. Entities are resolved twice, because portals escape
    twice. Escaped tags stay, and so does a `<` that does not begin a tag.
    """
    if "<" not in markup and "&" not in markup:
        return clean(markup)
    return plain_text_of(_without_tags(markup))


def drop_tags(text: str) -> str:
    """Return `text` with a space in place of each tag. What only looks like a tag stays."""
    return _WHOLE_TAG.sub(lambda tag: " " if _is_tag(tag) else tag[0], text)


def plain_text_of(text: str) -> str:
    """Return the same for text that has no tags and whose entities were resolved once, such as that of an element."""
    return clean(_ENTITY.sub(lambda entity: html.unescape(entity[0]), text))


def parse_html(text: str, *, memory_is_limited: bool = False) -> "Tree":
    """Return the tree of a page.

    Raises UnexpectedAnswer if its nesting would keep the parser busy for minutes, or, unless the process has limited
    its memory, if the tree could be many times the size of the page.
    """
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # noqa: PLC0415 - commands that only show something

    if not memory_is_limited and _could_multiply(text):
        raise UnexpectedAnswer(_("the page has too many unclosed elements"))
    depth = 0
    for tag in _NESTING_TAG.finditer(text) if len(text) > _MAX_DEPTH else ():
        if tag[2].lower() not in _NOT_NESTING:
            depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _MAX_DEPTH:
            raise UnexpectedAnswer(_("the page is nested too deeply"))
    try:
        return LexborHTMLParser(text)
    except SelectolaxError:
        raise UnexpectedAnswer(_("the page needs too much memory")) from None


def _could_multiply(text: str) -> bool:
    """Return whether the tree could have far more elements than the text has tags.

    The parser repeats every formatting element that is not closed, such as `<b>`, in each table that follows.
    """
    opened = most = 0
    for tag in _FORMATTING_TAG.finditer(text):
        opened = max(0, opened - 1) if tag[1] else opened + 1
        most = max(most, opened)
    return most * text.count("<") > _MAX_ELEMENTS


def json_shown_by(page: bytes) -> bytes | None:
    """Return the JSON that is all that a page shows, as in the page that a browser makes to show JSON; else None.

    Chromium and Safari show it in one `<pre>`, Firefox and Edge in one `<div>`.
    """
    if not page.lstrip(_BOM_AND_SPACE).startswith(b"<"):
        return None
    try:
        body = parse_html(read_text(page)).body
    except UnexpectedAnswer:
        return None
    shown = "" if body is None else visible_text(body).strip()
    return shown.encode() if shown.startswith(("{", "[")) else None


def visible_text(root: "Node", hidden: frozenset[str] = HIDDEN_TAGS) -> str:
    """Return the text of an element without that of `hidden` ones, with white space where a block or a line ends."""
    return "".join(visible_pieces(root, hidden))


def css_error(query: str) -> str | None:
    """Return what is wrong with a CSS selector, or None."""
    from selectolax.lexbor import SelectolaxError  # noqa: PLC0415 - as in `parse_html`

    try:
        parse_html("<p></p>").css(query)
    except SelectolaxError:
        return _("{query!r} is not a supported CSS selector", query=query)
    return None


def _without_tags(markup: str) -> str:
    if not _TAG.search(markup):
        return html.unescape(markup)
    if len(markup) > _MAX_PARSED:
        return html.unescape(drop_tags(markup))
    try:
        root = parse_html(_TAG_OR_LESS_THAN.sub(_prepare_tag, markup)).root
    except UnexpectedAnswer:
        root = None
    return html.unescape(drop_tags(markup)) if root is None else visible_text(root, _HIDDEN)


def _prepare_tag(tag: re.Match[str]) -> str:
    """Escape `<` if it does not begin a tag; put a space before a block, because the parser drops stray table cells."""
    if not _is_tag(tag):
        return tag[0].replace("<", "&lt;")
    name = tag["name"]
    return tag[0] if name is None or name.lower() in _NOT_SEPARATING else f" {tag[0]}"


def _is_tag(tag: re.Match[str]) -> bool:
    """Return whether a match is a tag and not words in angle brackets, such as `<see letter>`."""
    if tag["name"] is None:
        return tag[0] != "<"
    name, attributes = tag["name"].lower(), tag["rest"].strip("/> \t\r\n").lower()
    if tag["end"]:
        return True
    if attributes:
        return "=" in attributes or (name in _ELEMENTS and _NO_VALUES.issuperset(attributes.split()))
    if name in _WORDS:
        return name in _end_tags(tag.string)
    return name in _ELEMENTS or ":" in name


@lru_cache(maxsize=1)
def _end_tags(text: str) -> frozenset[str]:
    return frozenset(name.lower() for name in _END_TAG.findall(text))


def visible_pieces(root: "Node", hidden: frozenset[str]) -> Iterator[str]:
    """Yield the pieces of `visible_text`. Without recursion, because a hostile page may be nested very deeply."""
    silent = _INLINE | hidden | {"-comment"}
    node: Node | None = root
    while node is not None:
        if node.is_text_node:
            yield node.text_content or ""
        elif node.tag not in silent:
            yield "\n"
        below = node.first_child if node.tag not in hidden else None
        if below is not None:
            node = below
            continue
        while node is not None and node.mem_id != root.mem_id and node.next is None:
            node = node.parent
            if node is not None and node.tag not in silent:
                yield "\n"
        node = None if node is None or node.mem_id == root.mem_id else node.next
