"""What is kept of an answer: everything but what is about people. Pure."""

import json
import re
from typing import Any

from watcher.errors import UnexpectedAnswer

_PERSONAL = re.compile(
    r"name|addendum|beneficiar|address|alien|birth|email|phone|mobile|ssn|passport|country|gender", re.IGNORECASE
)
_KEPT = frozenset({"formName"})
"""What sounds personal and is not."""
_DEEPEST = 40
"""Answers of the portal nest about seven levels, three more for each case within a case."""


def without_personal_fields(said: Any) -> bytes:
    """An answer as it is stored: what stands under a key about people (names, addresses, file names) is null.

    Raises `UnexpectedAnswer` where it is nested deeper than any answer of the portal.
    """
    return json.dumps(_impersonal(said, _DEEPEST), ensure_ascii=False, separators=(",", ":")).encode()


def _impersonal(said: Any, levels: int) -> Any:
    if not levels:
        raise UnexpectedAnswer("the answer is nested deeper than any of the portal's")
    if isinstance(said, dict):
        return {key: None if _is_personal(key) else _impersonal(value, levels - 1) for key, value in said.items()}
    return [_impersonal(value, levels - 1) for value in said] if isinstance(said, list) else said


def _is_personal(key: str) -> bool:
    return key not in _KEPT and _PERSONAL.search(key) is not None
