"""A portal's words made harmless: text that no mail program, chat or phone turns into anything but text.

What a portal writes is shown word for word as far as possible, and never does anything: no link, no mention, no
markup, no character that cannot be seen or that turns the line around. Letters, digits and ordinary punctuation stay.
"""

import html
import re
from functools import lru_cache

from watcher.language.catalogue import Catalogue
from watcher.text.printable import visible

_MARKUP = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "[": "(", "]": ")", "{": "(", "}": ")",
        "`": "'", "*": "\N{MIDDLE DOT}", "~": "-", "|": "/", "\\": "/", "_": " ", "^": " ",
        "@": "(at)", "#": "No. ",
    }
)  # fmt: skip
_TAG = re.compile(r"</?[A-Za-z!][^<>]{0,1000}>")
_SLASHED = re.compile(r"[a-z][a-z0-9+.-]{0,30}:/{2,}\S*|www\d{0,3}\.\S+", re.IGNORECASE)
_SCHEMES = (
    "mailto|tel|sms|smsto|callto|geo|data|javascript|vbscript|file|blob|about|magnet|intent|market|xmpp|sip|sips"
    "|skype|facetime|whatsapp|tg|slack|matrix|bitcoin|ws|wss|ftp|http|https"
)
_SCHEMED = re.compile(rf"\b(?:{_SCHEMES}):\S+", re.IGNORECASE)
_CALLED = re.compile(r"\b(mailto|tel|sms|data|javascript|vbscript):+", re.IGNORECASE)
"""Never with a colon, whatever follows: a text may be cut just there, and what the alert says next be its address."""
_NUMERIC_HOST = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\S*)?")
_DOTTED = re.compile(r"(?<=[\w-])[.\u3002\uff0e\uff61](?=[^\W\d_]{2,}|xn--)")
_COLON = re.compile(r"(?<=[^\W\d_]):(?=[^\s\d])")
_COMMAND = re.compile(r"(?<!\S)/+(?=\w)")
_PILED = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]{2})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]+"
)


@lru_cache(maxsize=256)  # the same words stand in each form of an alert, and in those of every channel
def sanitize(text: str, catalogue: Catalogue, *, max_length: int) -> str:
    """`text` on one line, harmless, and cut to `longest` characters, with the number of those left out named.

    A web or mail address is left out or taken apart so that nothing makes a link of it.
    """
    plain = _TAG.sub(" ", visible(html.unescape(text[: 20 * max_length])))
    plain = _disarm(plain, catalogue.message("general", "link_left_out"))
    hidden = max(0, len(text) - 20 * max_length)
    return shorten(plain, catalogue, max_length=max_length, hidden=hidden)


def shorten(text: str, catalogue: Catalogue, *, max_length: int, hidden: int = 0) -> str:
    """`text` cut to at most about `longest` characters; `hidden` were cut off before and are counted too."""
    if len(text) <= max_length and not hidden:
        return text
    kept = text[:max_length].rsplit(" ", 1)[0] if " " in text[max_length // 2 : max_length] else text[:max_length]
    left = catalogue.plural("characters", len(text) - len(kept) + hidden)
    return catalogue.format("general", "left_out", text=kept.rstrip(), left=left)


def _disarm(text: str, link: str) -> str:
    for pattern in (_SLASHED, _SCHEMED, _NUMERIC_HOST):
        text = pattern.sub(link, text)
    text = text.translate(_MARKUP)
    text = _COMMAND.sub("", re.sub(r"/{2,}", "/", text))
    text = _DOTTED.sub(". ", _COLON.sub(": ", text))
    return " ".join(_PILED.sub(r"\1", _CALLED.sub(r"\1 ", text)).split())
