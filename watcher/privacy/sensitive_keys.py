"""The names of keys, headers, and form fields whose values are secret or personal. Pure."""

import re
from typing import Final

_ANYWHERE = (
    r"pass(?:word|wd|phrase)|secret|token|cookie|credential|api[_-]?key|state_key|heartbeat_url|database_url"
    r"|(?<![a-z])authori[sz]ation"  # employmentAuthorization is a kind of case
)
_AT_END = r"(?:^|_)(?:otp|totp|pwd|x?csrf|sid|session|session_id|code|pin)$"
_SECRET = re.compile(rf"(?i){_ANYWHERE}|{_AT_END}")
_NOT_SECRET = frozenset(
    {
        "status_code",
        "error_code",
        "language_code",
        "country_code",
        "event_code",
        "exit_code",
        "secrets_dir",
        "token_url",
    }
)

SECRET_FIELD: Final = rf"{_ANYWHERE}|csrf|otp"
"""A pattern for attributes of HTML fields that hold a secret, without regard to case."""

_PERSONAL = re.compile(
    r"name|addendum|beneficiar|address|alien|birth|email|phone|mobile|ssn|passport|country|gender", re.IGNORECASE
)
_NOT_PERSONAL = frozenset({"formName"})


def is_secret_key(key: str) -> bool:
    """Return whether the value of this key or header must not be logged or traced."""
    return key.lower() not in _NOT_SECRET and _SECRET.search(key) is not None


def is_personal_key(key: str) -> bool:
    """Return whether a portal keeps something about a person (name, address, file name) under this key."""
    return key not in _NOT_PERSONAL and _PERSONAL.search(key) is not None
