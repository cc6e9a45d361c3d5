"""JSON from a stranger, read within limits."""

import json
import re
from typing import Any

from watcher.errors import UnexpectedAnswer

_MARKUP = re.compile(rb"\s*(?:<!doctype|<html|<head|<body|<\?xml|<!--)", re.IGNORECASE)


_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(body: bytes) -> Any:
    """A body as JSON.

    Raises `UnexpectedAnswer` where it is empty, HTML, broken, nested too deep, or holds half a character (a lone
    surrogate, which no database and no channel could keep).
    """
    try:
        text = body.decode(json.detect_encoding(body))  # given bytes, `loads` would let half a character through
        value = json.loads(text)
        if _ESCAPED_SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer(f"JSON was expected, {_what_came(body, error)}") from None
    return value


def _what_came(body: bytes, error: Exception) -> str:
    if not body.strip():
        return "an empty answer came"
    if _MARKUP.match(body):
        return "an HTML page came (a maintenance or sign-in page, perhaps)"
    where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
    return f"something broken came{where}"
