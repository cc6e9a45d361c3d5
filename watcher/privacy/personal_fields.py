"""Answers of a portal without personal data. Pure."""

import json
from typing import Any

from watcher.errors import UnexpectedAnswer
from watcher.messages import _
from watcher.privacy.sensitive_keys import is_personal_key

_MAX_DEPTH = 40
"""The portal's answers nest about seven levels, and three more for each case within a case."""


def without_personal_fields(answer: Any) -> bytes:
    """Return a parsed answer as JSON to store, with null under each key that holds something about a person.

    Raises `UnexpectedAnswer` if it is nested deeper than any answer of the portal.
    """
    return json.dumps(_impersonal(answer, _MAX_DEPTH), ensure_ascii=False, separators=(",", ":")).encode()


def _impersonal(value: Any, levels: int) -> Any:
    if not levels:
        raise UnexpectedAnswer(_("the answer is nested deeper than any of the portal's"))
    if isinstance(value, dict):
        return {key: None if is_personal_key(key) else _impersonal(item, levels - 1) for key, item in value.items()}
    return [_impersonal(item, levels - 1) for item in value] if isinstance(value, list) else value
