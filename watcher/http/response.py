"""A portal's response, and functions that decode its untrusted body and headers safely."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from watcher.errors import UnexpectedAnswer
from watcher.text.charset import read_text
from watcher.text.json import read_json

_LONGEST_WAIT = timedelta(days=7)
_MAX_WAIT_DIGITS = 9


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

    Raises `UnexpectedAnswer` if the encoding is unknown, the body is damaged, or the result exceeds `max_bytes`.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UnexpectedAnswer("the answer is compressed in a way that was not asked for")
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = decompressor.decompress(body, max_bytes + 1)
    except zlib.error:
        raise UnexpectedAnswer("the compressed answer is broken") from None
    if len(plain) > max_bytes:
        raise UnexpectedAnswer(f"the answer is longer than {max_bytes} bytes")
    if not decompressor.eof:
        raise UnexpectedAnswer("the compressed answer is cut off")
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
    return max(timedelta(0), min(wait, _LONGEST_WAIT))
