"""The number of a case within a selector, escaped so that it is nothing but a text there. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from watcher.messages import _
from watcher.recipe.page.label_rows import comparable_label

CASE_NUMBER: Final = "{case_number}"
"""What stands in a selector for the number of the case at hand."""
_QUOTES: Final = re.compile(r"""["'`\\\x00-\x1f]""")


def filled(selector: str, case_number: str) -> str:
    """Return one selector of a pipe with the number in it. Raises ValueError if it cannot contain the number."""
    if CASE_NUMBER not in selector:
        return selector
    kind = selector.partition(":")[0]
    if kind not in _ESCAPES:
        raise ValueError(_("{kind}: cannot contain {{case_number}}", kind=kind))
    return selector.replace(CASE_NUMBER, _ESCAPES[kind](case_number))


def _in_css(number: str) -> str:
    """Escape everything but letters: a digit must not begin a name. The escapes hold in names and in strings."""
    return "".join(char if char.isascii() and char.isalpha() else f"\\{ord(char):06x} " for char in number)


def _in_json(number: str) -> str:
    if _QUOTES.search(number):
        raise ValueError(_("this number contains a quotation mark"))
    return number


def _as_it_is(number: str) -> str:
    return number


_ESCAPES: Final[Mapping[str, Callable[[str], str]]] = {
    "css": _in_css,
    "json": _in_json,
    "regex": re.escape,
    "row": comparable_label,
    "text": _as_it_is,
    "url": _as_it_is,
}
