"""A portal's response, and functions that decode its untrusted body and headers safely."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from watcher.errors import MAX_RETRY_AFTER, UnexpectedAnswer
from watcher.messages import _
from watcher.text.charset import read_text
from watcher.text.json import read_json

_MAX_WAIT_DIGITS = 9
_SUPPORTED_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_UNSUPPORTED_CODINGS = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"})
_DEFLATE = 8  # the compression method in the first byte of a zlib stream (RFC 1950, 2.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A portal's response. Header names are case-insensitive; `url` is the final one, after redirects."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        """Decode the body with the charset of the header, else of its `<meta>`, else UTF-8. Never fails."""
        return read_text(self.body, self.headers.get("content-type", ""))

    def json(self) -> Any:
        """Parse the body as JSON. Raises `UnexpectedAnswer` if it is HTML, malformed, or nested too deeply."""
        return read_json(self.body)


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo the `Content-Encoding` of servers that compress although they were asked not to.

    What is no content coding (`utf-8`, `none`) is ignored, as in browsers. Raises `UnexpectedAnswer` if the coding is
    not supported, the body is damaged, or the result exceeds `max_bytes`.
    """
    for coding in reversed(encoding.lower().split(",")):
        name = coding.strip()
        if name in _UNSUPPORTED_CODINGS:
            raise UnexpectedAnswer(_("the answer uses a compression that was not requested"))
        if name in _SUPPORTED_CODINGS and body:
            body = _inflate(body, max_bytes)
    return body


def _inflate(body: bytes, max_bytes: int) -> bytes:
    """Undo gzip, or deflate with or without the header that RFC 9110 asks for (8.4.1.2)."""
    has_header = body[:2] == b"\x1f\x8b" or (body[0] & 0x0F == _DEFLATE and int.from_bytes(body[:2], "big") % 31 == 0)
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32 if has_header else -zlib.MAX_WBITS)
    try:
        plain = decompressor.decompress(body, max_bytes + 1)
    except zlib.error:
        raise UnexpectedAnswer(_("the compressed answer is damaged")) from None
    if len(plain) > max_bytes:
        raise UnexpectedAnswer(_("the answer is longer than {limit} bytes", limit=max_bytes))
    if not decompressor.eof:
        raise UnexpectedAnswer(_("the compressed answer is incomplete"))
    return plain


def parse_retry_after(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long a `Retry-After` header asks to wait, counted from `now` (aware): between zero and a week.

    The header holds whole seconds or an HTTP date (RFC 9110, 10.2.3). None if it is absent or invalid.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=int(text[:_MAX_WAIT_DIGITS]))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, IndexError, OverflowError):
            return None
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return max(timedelta(0), min(wait, MAX_RETRY_AFTER))
