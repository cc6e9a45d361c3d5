"""What a portal answered: its status, headers and body, and the careful ways to read them."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from watcher.errors import UnexpectedAnswer
from watcher.text.json import read_json

_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset=["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"""charset=["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_META_WITHIN = 2048
_LONGEST_WAIT = timedelta(days=7)
_DIGITS_OF_A_WAIT = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer of a portal. `headers` are looked up in any letter case; `url` is where it came from at last."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        """The body as text: in the charset of the header, then of its `<meta>`, then UTF-8, never failing."""
        declared = _HEADER_CHARSET.search(self.headers.get("content-type", ""))
        return read_text(self.body, declared.group(1) if declared else None)

    def json(self) -> Any:
        """The body as JSON. Raises `UnexpectedAnswer` where it is HTML, broken or nested too deep."""
        return read_json(self.body)


def read_text(body: bytes, charset: str | None = None) -> str:
    """A body as text. `charset` is what the header declared; then its `<meta>` counts, then UTF-8; never fails."""
    if charset is None and (found := _META_CHARSET.search(body[:_META_WITHIN])):
        charset = found.group(1).decode("ascii")
    try:
        return body.decode(charset or "utf-8-sig", errors="replace")
    except LookupError:
        return body.decode("utf-8-sig", errors="replace")


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body out of its `Content-Encoding`, for servers that compress although they were asked not to.

    Raises `UnexpectedAnswer` where the encoding is not known, the body is broken, or it is longer than `max_bytes`.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UnexpectedAnswer("the answer is compressed in a way that was not asked for")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = inflater.decompress(body, max_bytes + 1)
    except zlib.error:
        raise UnexpectedAnswer("the compressed answer is broken") from None
    if len(plain) > max_bytes:
        raise UnexpectedAnswer(f"the answer is longer than {max_bytes} bytes")
    if not inflater.eof:
        raise UnexpectedAnswer("the compressed answer is cut off")
    return plain


def parse_retry_after(retry_after: str | None, now: datetime) -> timedelta | None:
    """How long a `Retry-After` header asks to wait from `now` (aware) on: at least nothing, at most a week.

    Whole seconds or an HTTP date (RFC 9110, 10.2.3). None where it is absent or makes no sense.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=int(text[:_DIGITS_OF_A_WAIT]))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, IndexError, OverflowError):
            return None
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return max(timedelta(0), min(wait, _LONGEST_WAIT))
