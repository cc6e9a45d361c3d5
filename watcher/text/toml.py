"""Untrusted TOML, parsed within limits.

`tomllib` takes minutes for a dotted key of some ten thousand parts, and raises errors other than TOMLDecodeError for
deep nesting and for numbers with thousands of digits. No configuration and no recipe contains any of these.
"""

import re
import tomllib
from typing import Any, Final

from watcher.messages import _

MAX_PARTS: Final = 32
"""Parts of a dotted key or of a table's name; what this program reads has at most five."""

_KEY: Final = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY: Final = re.compile(rf"(?<![A-Za-z0-9_-]){_KEY}(?:[ \t]*+\.[ \t]*+{_KEY}){{{MAX_PARTS}}}")
_LONG_NUMBER: Final = re.compile(r"(?<![0-9_])[0-9](?:_?[0-9]){4000}")  # Python parses 4,300 digits at most


class NotToml(ValueError):
    """A text that is not TOML, or not TOML that a person would write. The message says why and, if known, where."""


def read_toml(text: str) -> dict[str, Any]:
    """Return the content of a TOML text, in time proportional to its length. Raises `NotToml`."""
    if long_key := _LONG_KEY.search(text):
        raise NotToml(_("line {line}: a key has more than {limit} parts", line=_line(text, long_key), limit=MAX_PARTS))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(_("not valid TOML: {reason}", reason=error)) from None
    except RecursionError:
        raise NotToml(_("is nested too deeply")) from None
    except ValueError:
        long_number = _LONG_NUMBER.search(text)
        if long_number is None:
            raise NotToml(_("a number has too many digits")) from None
        raise NotToml(_("line {line}: a number has too many digits", line=_line(text, long_number))) from None


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
