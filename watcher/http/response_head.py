"""The head of a response (status line and header lines), without the lines that HTTP does not allow. Pure.

Browsers and curl skip such lines; the HTTP library would reject the whole response. Requests are not concerned.
"""

import re
from collections.abc import Iterator

MAX_HEAD = 100 * 1024
"""The longest head in bytes that is waited for: the limit of the HTTP library, which reports longer ones."""

_END = re.compile(rb"\n\r?\n")
_FIELD = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+)[ \t]*:([^\x00\r\v\f]*)")
_LENGTH = re.compile(rb"[ \t]*[0-9]{1,20}[ \t]*(?:,[ \t]*[0-9]{1,20}[ \t]*)*")


def end_of_head(received: bytes) -> int | None:
    """Return the length of the head with its empty line; None if more has to be received first.

    What does not begin like HTTP is complete at once, so that its error is not delayed.
    """
    if not b"HTTP/".startswith(received[:5]):
        return len(received)
    end = _END.search(received)
    return end.end() if end is not None else None


def is_informational(head: bytes) -> bool:
    """Return whether another head follows this one (status 1xx: RFC 9110, 15.2)."""
    return re.match(rb"HTTP/1\.\d 1\d\d", head) is not None


def tidy_head(head: bytes) -> bytes:
    """Return a complete head without malformed header lines and what continues them. The status line is kept as it is.

    White space between a name and the colon is removed, as in browsers and in proxies (RFC 9112, 5.1). A length that is
    no number is left out, and so is the transfer coding `identity`, which old servers send (RFC 2616, 3.6).
    """
    status_line, *lines = head.removesuffix(b"\r\n").removesuffix(b"\n").split(b"\n")
    return b"\n".join((status_line, *_valid_lines(lines), b"\r\n"))


def _valid_lines(lines: list[bytes]) -> Iterator[bytes]:
    is_kept, is_chunked = False, False
    for line in lines:
        text = line.removesuffix(b"\r")
        if text[:1] in (b" ", b"\t"):  # obsolete line folding: the line continues the one before it
            if is_kept and _FIELD.fullmatch(b"x:" + text):
                yield line
            continue
        field = _FIELD.fullmatch(text)
        is_kept = field is not None and _is_usable(field[1].lower(), field[2], is_chunked=is_chunked)
        if field is not None and is_kept:
            is_chunked = is_chunked or field[1].lower() == b"transfer-encoding"
            yield field[1] + b":" + field[2] + b"\r"


def _is_usable(name: bytes, value: bytes, *, is_chunked: bool) -> bool:
    if name == b"content-length":
        return _LENGTH.fullmatch(value) is not None
    if name == b"transfer-encoding":
        coding = value.strip().lower()
        return coding != b"identity" and not (is_chunked and coding == b"chunked")
    return True
