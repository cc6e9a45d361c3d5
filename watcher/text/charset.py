"""The text of bytes in whatever charset they declare, or are in instead. Pure."""

import codecs
import re
from typing import Final

_HEADER: Final = re.compile(r"""charset\s*=\s*["']?([-\w:.]{1,40})""", re.IGNORECASE)
_META: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([-A-Za-z0-9_:.]{1,40})""", re.IGNORECASE)
_XML_DECLARATION: Final = re.compile(rb"""\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([-A-Za-z0-9_:.]{1,40})["']""")
_META_WITHIN: Final = 2048
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SUPERSETS: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
"""What browsers use for a charset that pages declare and exceed (https://encoding.spec.whatwg.org/#names-and-labels)."""

_NOT_CHARSETS: Final = frozenset({"utf-7", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})


def read_text(body: bytes, content_type: str = "") -> str:
    """Return a response body as text: in the charset of its Content-Type, else of its declaration. Never fails.

    That is the declaration of XML, or the `<meta>` of HTML.
    """
    meta = _XML_DECLARATION.match(body[:_META_WITHIN]) or _META.search(body[:_META_WITHIN])
    names = [*_HEADER.findall(content_type)[:1], *([meta[1].decode("ascii")] if meta else [])]
    return _decode(body, [charset for name in names if (charset := _known(name))])


def decode(body: bytes, charset: str) -> str:
    """Return `body` as text without a byte order mark, in a charset that may be unknown or wrong. Never fails."""
    known = _known(charset)
    return _decode(body, [known] if known else [])


def json_in_utf8(body: bytes, content_type: str) -> bytes:
    """Return JSON that is in another charset, as its Content-Type declares, in UTF-8; other bodies as they are."""
    declared = _HEADER.search(content_type)
    if declared is None or "json" not in content_type.lower() or _is_utf8(body) or not _known(declared[1]):
        return body
    return decode(body, declared[1]).encode()


def _decode(body: bytes, declared: list[str]) -> str:
    """Decode with the byte order mark, as UTF-8 if it is that, with the first declared charset that fits, or as can be.

    Text with other letters than those of ASCII is not UTF-8 by chance. If it is nothing that was declared, it is in
    Windows-1252, which browsers assume, unless parts of it are UTF-8.
    """
    for mark, charset in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return _storable(body.removeprefix(mark).decode(charset, "replace"))
    if not body.isascii() and _is_utf8(body):
        return _storable(body.decode())
    for charset in declared:
        try:
            return _storable(body.decode(charset))
        except ValueError:
            continue
    charset = next((name for name in declared if name != "utf-8"), "utf-8")
    text = _storable(body.decode(charset, "replace"))
    if charset == "utf-8" and not any(char >= "\x80" and char != "\ufffd" for char in text):
        return _storable(body.decode("cp1252", "replace"))
    return text


def _known(name: str) -> str | None:
    """Return the charset that a name stands for in browsers; None for a name that is none of a charset."""
    try:
        charset = codecs.lookup(name).name
        b"text".decode(charset, "replace")
    except (LookupError, ValueError):  # no such encoding, or one that is not for texts
        return None
    return None if charset in _NOT_CHARSETS else _SUPERSETS.get(charset, charset)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _storable(text: str) -> str:
    """Return a text without lone surrogates, which some encodings let through, and without a byte order mark."""
    return text.encode("utf-8", "replace").decode("utf-8").removeprefix("\ufeff")
