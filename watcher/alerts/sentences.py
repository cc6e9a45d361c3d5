"""Sentences of the program's own texts. Pure."""

import re
from typing import Final

_SENTENCE_END: Final = re.compile(r"(?<=[.!?]) (?=[^\W\d_a-z]|`)")
_COMMAND: Final = "`watcher "


def sentences(text: str, *, commands: bool = True) -> tuple[str, ...]:
    """Return the sentences of a text of the catalogue; without `commands`, those that have none.

    What the portal wrote may be split, which does no harm.
    """
    parts = _SENTENCE_END.split(text) if text else []
    return tuple(part for part in parts if commands or _COMMAND not in part)
