"""The spellings of a text: escaped for HTML, URLs, JSON, or scripts, also several times over. Pure.

A page is decoded step by step, and each step remembers where its characters were in the page. A text that any step
contains can then be found in the page, however it was escaped. Takes linear time.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Final, TypeAlias

Span: TypeAlias = tuple[int, int]
"""Where a part of a text begins and ends."""

_MAX_DECODINGS: Final = 4
# Each alternative begins with a plain character, which lets the search skip the rest of a text quickly.
_ESCAPE: Final = re.compile(
    r"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*+"
    r"|\\x[0-9A-Fa-f]{2}(?:\\x[0-9A-Fa-f]{2})*+"
    r"|\\u[0-9A-Fa-f]{4}(?:\\u[0-9A-Fa-f]{4})*+"
    r"|%u[0-9A-Fa-f]{4}(?:%u[0-9A-Fa-f]{4})*+"
    r"|\\u\{[0-9A-Fa-f]{1,6}\}"
    r"|\\U00[0-9A-Fa-f]{6}"
    r"|\\[nrt]"
    r"|\\[^\w\s]"
    r"|&(?:\#[0-9]{1,7};?|\#[xX][0-9A-Fa-f]{1,6};?|(?:amp|lt|gt|quot|AMP|LT|GT|QUOT);?|[A-Za-z0-9]{2,31};)"
)
_LAST_OF_ONE_UNIT: Final = 0xFFFF
_LAST_CHARACTER: Final = 0x10FFFF
_CONTROL: Final = {"n": "\n", "r": "\r", "t": "\t"}
_FIRST_OCTET, _LAST_OCTET = 0xDC80, 0xDCFF  # how Python's surrogateescape marks an octet that is not UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """A page after some steps of decoding. `at` are the positions of decoded characters in `text`.

    `spans` are where the same characters are in the text of `before`, the step before this one.
    """

    text: str
    at: tuple[int, ...] = ()
    spans: tuple[Span, ...] = ()
    before: "Decoding | None" = None

    def in_page(self, span: Span) -> Span:
        """Return where a part of `text`, which is not empty, is in the page itself."""
        if self.before is None:
            return span
        start, end = span
        return self.before.in_page((self._earlier(start)[0], self._earlier(end - 1)[1]))

    def is_quoted_alike(self, start: int, end: int) -> bool:
        """Return whether what is right before and after this part is spelled alike in the page, if it is a quote.

        Quotes that are spelled differently belong to different texts of the page.
        """
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        if self.before is None or before != after or before not in {'"', "'"}:
            return True
        first, last = self.in_page((start - 1, start)), self.in_page((end, end + 1))
        return self._page[slice(*first)] == self._page[slice(*last)]

    @property
    def _page(self) -> str:
        return self.text if self.before is None else self.before._page  # noqa: SLF001 - the same class

    def _earlier(self, position: int) -> Span:
        """Return where the character at `position` is in the text of the step before."""
        index = bisect_right(self.at, position) - 1
        if index < 0:
            return position, position + 1
        start, end = self.spans[index]
        if self.at[index] == position:
            return start, end
        offset = end + position - self.at[index] - 1
        return offset, offset + 1


def decodings(page: str) -> Iterator[Decoding]:
    """Yield the page as it is, then with one level of escapes decoded after another.

    Octets that are not UTF-8, as `surrogateescape` marks them, count as characters of Windows-1252.
    """
    decoding = Decoding(text=page if page.isascii() else as_windows_1252(page))
    yield decoding
    for _ in range(_MAX_DECODINGS):
        decoding = _decoded(decoding)
        if not decoding.at:
            return
        yield decoding


def _decoded(before: Decoding) -> Decoding:
    pieces: list[str] = []
    at: list[int] = []
    spans: list[Span] = []
    text, length, end = before.text, 0, 0
    for match in _ESCAPE.finditer(text):
        start = match.start()
        for character, width in _characters(match[0]):
            pieces.append(text[end:start])
            pieces.append(character)
            length += start - end
            at.append(length)
            end = start + width
            spans.append((start, end))
            length, start = length + 1, end
    return Decoding(text="".join((*pieces, text[end:])), at=tuple(at), spans=tuple(spans), before=before)


@lru_cache(maxsize=1024)
def _characters(escape: str) -> tuple[tuple[str, int], ...]:
    """Return each character of one escape, or of several in a row, with the length of its spelling."""
    if escape[0] == "&":
        character = unescape(escape)
        return ((character, len(escape)),) if len(character) == 1 else ()
    if escape[:3] in {"\\u{", "\\U0"}:
        return ((chr(min(int(escape[2:].strip("{}"), 16), _LAST_CHARACTER)), len(escape)),)
    if escape[1] == "u":
        units = bytes.fromhex(escape.replace(escape[:2], "")).decode("utf-16-be", "surrogatepass")
        return tuple((char, 12 if ord(char) > _LAST_OF_ONE_UNIT else 6) for char in units)
    if escape[0] == "%" or escape[1] == "x":
        width = 3 if escape[0] == "%" else 4
        octets = bytes.fromhex(escape.replace(escape[: width - 2], "")).decode("utf-8", "surrogateescape")
        return tuple((as_windows_1252(char), width * len(char.encode("utf-8", "surrogateescape"))) for char in octets)
    return ((_CONTROL.get(escape[1], escape[1]), len(escape)),)


def as_windows_1252(text: str) -> str:
    """Return the text with octets that are not UTF-8 (see `surrogateescape`) as characters of Windows-1252."""
    return text.translate(_WINDOWS_1252) if any(_FIRST_OCTET <= ord(char) <= _LAST_OCTET for char in text) else text


def _windows_1252(octet: int) -> str:
    try:
        return bytes([octet]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(octet)


_WINDOWS_1252: Final = {0xDC00 + octet: _windows_1252(octet) for octet in range(0x80, 0x100)}
