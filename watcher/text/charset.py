"""The text of bytes in whatever charset they declare."""

import re
from typing import Final

_HEADER: Final = re.compile(r"""charset\s*=\s*["']?([-\w:.]{1,40})""", re.IGNORECASE)
_META: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([-A-Za-z0-9_:.]{1,40})""", re.IGNORECASE)
_META_WITHIN: Final = 2048


def read_text(body: bytes, content_type: str = "") -> str:
    """Return a response body as text: in the charset of its Content-Type, of its `<meta>`, or UTF-8. Never fails."""
    if declared := _HEADER.search(content_type):
        return decode(body, declared[1])
    meta = _META.search(body[:_META_WITHIN])
    return decode(body, meta[1].decode("ascii") if meta else "utf-8")


def decode(body: bytes, charset: str) -> str:
    """Return `body` as text without a byte order mark; in UTF-8 if `charset` is unknown. Never fails."""
    try:
        text = body.decode(charset, "replace")
    except (LookupError, ValueError):  # no such encoding, or one that is not for texts or knows no replacement
        text = body.decode("utf-8", "replace")
    # Some encodings let lone surrogates through, which no database and no channel could keep.
    return text.encode("utf-8", "replace").decode("utf-8").removeprefix("\ufeff")
