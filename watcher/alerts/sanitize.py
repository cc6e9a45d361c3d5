"""Sanitize a portal's text so that mail programs, chats, and phones show it only as text.

The text is kept word for word as far as possible, but without links, mentions, markup, and characters that are
invisible or change the direction of a line. Letters, digits, and ordinary punctuation remain.
"""

import html
import re
from functools import lru_cache

from watcher.language.catalogue import Catalogue
from watcher.text.html import drop_tags
from watcher.text.printable import printable, visible

_MARKUP = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "[": "(", "]": ")", "{": "(", "}": ")",
        "`": "'", "*": "\N{MIDDLE DOT}", "~": "-", "|": "/", "\\": "/", "_": "\N{FULLWIDTH LOW LINE}",
        "^": "\N{MODIFIER LETTER CIRCUMFLEX ACCENT}",
        "@": "(at)", "#": "No. ",
    }
)  # fmt: skip
_UNDERSCORE = re.compile(r"(?<=[^\W_])_(?=[^\W_])")
"""Between letters and digits; no program reads it as markup there."""
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}:/{2,}\S*|www\d{0,3}\.\S+", re.IGNORECASE)
_SCHEMES = (
    "mailto|tel|sms|smsto|callto|geo|data|javascript|vbscript|file|blob|about|magnet|intent|market|xmpp|sip|sips"
    "|skype|facetime|whatsapp|tg|slack|matrix|bitcoin|ws|wss|ftp|http|https"
)
_OTHER_URL = re.compile(rf"\b(?:{_SCHEMES}):\S+", re.IGNORECASE)
_BARE_SCHEME = re.compile(r"\b(mailto|tel|sms|data|javascript|vbscript):+", re.IGNORECASE)
"""Loses its colon in any case: if the text is cut there, the alert's next words would become the address."""
_NUMERIC_HOST = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\S*)?")
_DOTTED = re.compile(r"(?<=[\w-])[.\u3002\uff0e\uff61](?=[^\W\d_]{2,}|xn--)")
_COLON = re.compile(r"(?<=[^\W\d_]):(?=[^\s\d])")
_COMMAND = re.compile(r"(?<!\S)/+(?=\w)")
_STACKED_MARKS = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]{2})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]+"
)


@lru_cache(maxsize=256)  # every form of an alert, for every channel, contains the same texts
def sanitize(text: str, catalogue: Catalogue, *, max_length: int) -> str:
    """Return `text` on one line, sanitized, and shortened to `max_length` characters plus a count of the rest.

    Web and mail addresses are removed or split so that no program turns them into links.
    """
    plain = drop_tags(visible(html.unescape(text[: 20 * max_length])))
    plain = _disarm(plain, catalogue.message("general", "link_left_out"))
    hidden = max(0, len(text) - 20 * max_length)
    return shorten(plain, catalogue, max_length=max_length, hidden=hidden)


def without_links(text: str, catalogue: Catalogue) -> str:
    """Return `text` on one line without web, mail, and phone addresses, for programs that show markup as it is."""
    plain, link = drop_tags(printable(html.unescape(text))), catalogue.message("general", "link_left_out")
    for pattern in (_URL, _OTHER_URL, _NUMERIC_HOST):
        plain = pattern.sub(link, plain)
    plain = _DOTTED.sub(". ", _COLON.sub(": ", _BARE_SCHEME.sub(r"\1 ", plain.replace("@", "(at)"))))
    return " ".join(_STACKED_MARKS.sub(r"\1", plain).split())


def shorten(text: str, catalogue: Catalogue, *, max_length: int, hidden: int = 0) -> str:
    """Shorten `text` to about `max_length` characters; `hidden` were cut off before and are counted too."""
    if len(text) <= max_length and not hidden:
        return text
    start = text[:max_length].rsplit(" ", 1)[0] if " " in text[max_length // 2 : max_length] else text[:max_length]
    left = catalogue.plural("characters", len(text) - len(start) + hidden)
    return catalogue.format("general", "left_out", text=start.rstrip(), left=left)


def _disarm(text: str, link: str) -> str:
    for pattern in (_URL, _OTHER_URL, _NUMERIC_HOST):
        text = pattern.sub(link, text)
    text = "_".join(piece.translate(_MARKUP) for piece in _UNDERSCORE.split(text))
    text = _COMMAND.sub("", re.sub(r"/{2,}", "/", text))
    text = _DOTTED.sub(". ", _COLON.sub(": ", text))
    return " ".join(_STACKED_MARKS.sub(r"\1", _BARE_SCHEME.sub(r"\1 ", text)).split())
