"""Marks that stand for an item's number in a text that is written before the database numbers the item.

A mark is made of the item's key. Its characters are for private use, and no text from a portal contains them.
"""

import re
from collections.abc import Mapping
from hashlib import sha256

_END = "\ue000"
_MARK = re.compile(f"{_END}([0-9a-f]+){_END}")


def item_mark(key: str) -> str:
    """Return the mark of the item with this key."""
    digest = sha256(key.encode(errors="surrogatepass")).hexdigest()
    return f"{_END}{digest[:6]}{_END}"


def has_item_mark(text: str) -> bool:
    """Return whether a text contains a mark."""
    return _END in text


def with_item_numbers(text: str, numbers: Mapping[str, int]) -> str:
    """Return a text with numbers instead of marks. `numbers` has the number of each item of the case, by key."""
    by_mark = {item_mark(key): str(number) for key, number in numbers.items()}
    return _MARK.sub(lambda mark: by_mark.get(mark[0], "ITEM"), text)
