"""The names of keys, headers, and form fields whose values are secret or personal. Pure."""

import re
from functools import lru_cache
from typing import Final

_ANYWHERE: Final = re.compile(
    r"(?i)pass(?:word|wd|phrase)|secret(?!ar)|token|cookie|credential|api[_-]?key|state_key|heartbeat_url|database_url"
    r"|[cx]srf|nonce|saml|relaystate|verifier"
    r"|(?<![a-z])authori[sz]ation"  # employmentAuthorization is a kind of case
)
_WORDS_AT_END: Final = re.compile(
    r"(?i)(?:^|[_.-])(?:t?otp|pwd|jwt|sid|pin|pass|j?session|j?session[_-]?(?:id|key)|[a-z]+sessid|auth[_-]?key)$"
    r"|(?:^|(?:mfa|t?otp|auth|access|security|verification|confirmation|one[_-]?time|user|device)[_-])code$"
)
_CAMEL_CASE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_SECRET: Final = frozenset({"secrets_dir", "token_url", "token_type", "tokentype", "token_endpoint"})
_IN_ADDRESSES: Final = re.compile(r"(?i)(?:^|[_.-])(?:code|state|key|sig|signature|auth|ticket|assertion|hash)$")
_CACHED: Final = 4096

_WORDS: Final = (
    *("password", "passwd", "passphrase", "secret", "token", "cookie", "credential", "api_key", "api-key", "apikey"),
    *("state_key", "heartbeat_url", "database_url", "csrf", "xsrf", "nonce", "saml", "relaystate", "verifier"),
    *("authorization", "authorisation"),
)
_ENDS: Final = tuple(
    (word, re.compile(rf"{end}(?![\w$.-])"))
    for word, end in (
        *((word, word) for word in ("otp", "pwd", "jwt", "sid", "pin", "pass", "code")),
        ("sess", "sess(?:ion(?:[_-]?(?:id|key))?|id)"),
        ("auth", "auth[_-]?key"),
    )
)
"""How a name ends that `_WORDS_AT_END` matches, as "residence" and "opinion" do not. A plain word is found faster."""


def may_name_secret(text: str) -> bool:
    """Return whether a text may contain a name that `is_secret_key` recognizes. Fast, unlike a search for all names."""
    lower = text.lower()
    if any(word in lower for word in _WORDS):
        return True
    return any(word in lower and end.search(lower) for word, end in _ENDS)


_PERSONAL = re.compile(
    r"name|addendum|beneficiar|address|alien|birth|email|phone|mobile|ssn|passport|country|gender", re.IGNORECASE
)
_NOT_PERSONAL = frozenset({"formName"})


@lru_cache(maxsize=_CACHED)
def is_secret_key(key: str) -> bool:
    """Return whether the value of this key or header must not be logged or traced."""
    if key.lower() in _NOT_SECRET:
        return False
    return bool(_ANYWHERE.search(key) or _WORDS_AT_END.search(_CAMEL_CASE.sub("_", key)))


def is_secret_field(name: str) -> bool:
    """Return whether this field of a portal's page or answer holds a secret. There, `code` is that of a status."""
    return name.lower() != "code" and is_secret_key(name)


def is_secret_parameter(name: str) -> bool:
    """Return whether this parameter in the query or fragment of an address holds a secret."""
    return is_secret_key(name) or _IN_ADDRESSES.search(_CAMEL_CASE.sub("_", name)) is not None


def is_personal_key(key: str) -> bool:
    """Return whether a portal keeps something about a person (name, address, file name) under this key."""
    return key not in _NOT_PERSONAL and _PERSONAL.search(key) is not None
