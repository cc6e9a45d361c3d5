"""Untrusted or possibly damaged JSON, parsed within limits."""

import json
import re
from typing import Any

from watcher.errors import UnexpectedAnswer
from watcher.messages import _

_MARKUP = re.compile(rb"\s*(?:<!doctype|<html|<head|<body|<\?xml|<!--)", re.IGNORECASE)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(body: bytes) -> Any:
    """Return a portal's response body, parsed as JSON.

    Raises UnexpectedAnswer if it is empty, HTML, broken, nested too deeply, or contains a lone surrogate, which no
    database and no channel could keep.
    """
    try:
        text = body.decode(json.detect_encoding(body))  # given bytes, `loads` would accept a lone surrogate
        value = json.loads(text)
        if _ESCAPED_SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer(_description(body, error)) from None
    return value


def load_or_none(content: str | bytes | None) -> Any:
    """Return the content of a file of this program, parsed as JSON; None if there is none or it is damaged."""
    try:
        return json.loads(content or b"null")
    except (ValueError, RecursionError):
        return None


def _description(body: bytes, error: Exception) -> str:
    if not body.strip():
        return _("expected JSON, but the answer is empty")
    if _MARKUP.match(body):
        return _("expected JSON, but the answer is an HTML page (perhaps a maintenance or sign-in page)")
    if isinstance(error, json.JSONDecodeError):
        return _("expected JSON, but the answer is damaged at character {position}", position=error.pos)
    return _("expected JSON, but the answer is damaged")
