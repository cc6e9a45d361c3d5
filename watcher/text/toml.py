"""TOML that a stranger may have written: the one door to the standard library's parser, for what is not shipped.

`tomllib` takes minutes for a dotted key of some ten thousand parts, and fails in ways of its own at what is nested
deeply or at a number of thousands of digits. No configuration and no recipe has any of that.
"""

import re
import tomllib
from typing import Any, Final

MAX_PARTS: Final = 32
"""Of a dotted key or a table's name; what this program reads has at most five."""

_KEY: Final = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_ENDLESS_KEY: Final = re.compile(rf"(?<![A-Za-z0-9_-]){_KEY}(?:[ \t]*+\.[ \t]*+{_KEY}){{{MAX_PARTS}}}")
_ENDLESS_NUMBER: Final = re.compile(r"(?<![0-9_])[0-9](?:_?[0-9]){4000}")  # Python reads 4,300 digits at most


class NotToml(ValueError):
    """A text is no TOML, or none that a person would write. The message says why, and where if that is known."""


def read_toml(text: str) -> dict[str, Any]:
    """The keys of a TOML text, in a time that grows with its length alone. Raises `NotToml`."""
    if endless := _ENDLESS_KEY.search(text):
        raise NotToml(f"line {_line(text, endless)}: a key has more than {MAX_PARTS} parts between its dots")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(f"is not TOML: {error}") from None
    except RecursionError:
        raise NotToml("is nested more deeply than anything a person writes") from None
    except ValueError:
        endless = _ENDLESS_NUMBER.search(text)
        where = f"line {_line(text, endless)}: " if endless else ""
        raise NotToml(f"{where}a number has more digits than can be read") from None


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1
