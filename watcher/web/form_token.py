"""The token that every form of the page sends back, read from a body that is passed on afterwards."""

import hmac
import re
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from watcher.web.security import MAX_FORM

FIELD = "csrf"
"""The name of the field, the first one of every form."""

HEADER = "x-csrf-token"
"""The header in which a script of the page sends it."""

_MAX_FIRST_PART = 4096
_FIRST_PART = re.compile(rb'Content-Disposition: form-data; name="csrf"\r\n\r\n([0-9a-f]{64})\r\n', re.IGNORECASE)


async def has_token(headers: Headers, receive: Receive, expected: str) -> tuple[bool, Receive]:
    """Return whether a request has the expected token, and what its body is to be received with from now on.

    Reads no more of an upload than its first part, so that nothing is kept of one that is refused.
    """
    if sent := headers.get(HEADER):
        return _is(sent, expected), receive
    content_type = headers.get("content-type", "")
    is_upload = content_type.startswith("multipart/form-data")
    if not is_upload and not content_type.startswith("application/x-www-form-urlencoded"):
        return False, receive
    messages, body = await _read(receive, _MAX_FIRST_PART if is_upload else MAX_FORM)
    sent = _first_part(body, content_type) if is_upload else _first_field(body)
    return _is(sent, expected), _again(messages, receive)


async def _read(receive: Receive, wanted: int) -> tuple[list[Message], bytes]:
    """Receive the body until it ends or has `wanted` bytes."""
    messages: list[Message] = []
    body = b""
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body", False) or len(body) >= wanted:
            return messages, body


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that begins with the messages that were received."""
    waiting = iter(messages)

    async def again() -> Message:
        message = next(waiting, None)
        return message if message is not None else await receive()

    return again


def _first_field(body: bytes) -> str:
    try:
        fields = parse_qsl(body.decode("ascii"), max_num_fields=1000)
    except ValueError:
        return ""
    return next((value for name, value in fields if name == FIELD), "")


def _first_part(body: bytes, content_type: str) -> str:
    found = re.search(r'boundary="?([^\s";]{1,70})', content_type)
    start = b"--" + found[1].encode("latin-1") + b"\r\n" if found else b"\0"
    match = _FIRST_PART.match(body, len(start)) if body.startswith(start) else None
    return match[1].decode("ascii") if match else ""


def _is(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode())
