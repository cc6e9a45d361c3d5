"""Redaction of secrets and personal data in logs and errors.

Two methods are combined: patterns of secrets and personal numbers, and the secrets of this process, which are
registered when they are loaded. Redacted case numbers keep enough digits to distinguish two cases.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from threading import Lock
from urllib.parse import quote, quote_plus, unquote

from watcher.privacy.sensitive_keys import is_secret_key

BLANK = "[redacted]"

# Every repetition that can start anywhere is bounded, so that matching takes linear time.
_PARAMETER = r"(?:[a-z_-]{0,40}(?:token|secret|password|passwd|key|sig|signature|session)|code|state|otp|pwd|auth)"
_KEYWORD = r"[a-z_-]{0,40}(?:password|passwd|passphrase|secret|token|otp|mfa_code)"
_HEADER = r"(?:set-cookie|cookie|authorization|x-api-key)"
_VALUE = r"""(?:"[^"]*"|'[^']*'|(?!\[redacted\])[^\s"',;&}]+)"""

# The text in the group "before" is kept.
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<before>\b[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/?#\"'<>]+(?=@)",
        rf"(?i)(?P<before>[?&;]{_PARAMETER}=)[^&\s\"'<>#]+",
        r"(?i)(?P<before>\b(?:bearer|basic|digest)\s+)[A-Za-z0-9._~+/=-]{6,}",
        r"(?i)(?P<before>/bot)[0-9]+:[A-Za-z0-9_-]+",
        rf"(?i)(?P<before>\b{_HEADER}[\"']?\s*[:=]\s*)[^\r\n]+",
        rf"(?i)(?P<before>\b{_KEYWORD}[\"']?\s*[:=]\s*){_VALUE}",
        r"(?P<before>)\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?",
    )
)

_RECEIPT = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z]{3})[- ]?(?:\*?[0-9]{5,6}|[0-9]{2}[- ]?[0-9]{3}[- ]?[0-9]?)([0-9]{4})(?![0-9])"
)
_APPLICATION = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{1,2})[0-9]{3,6}([0-9]{4})(?![A-Za-z0-9])")
# A UCI is 1100000001 or 11-0000-0001. Eight digits that could be a date are left.
_CLIENT = re.compile(
    r"(?<![A-Za-z0-9])(?<![0-9]\.)(?!20[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9](?![0-9]))"
    r"(?:[0-9]{2}-?)?[0-9]{4}-?([0-9]{4})(?![A-Za-z0-9])"
)
_MAIL = re.compile(r"(?<![A-Za-z0-9._%+-])([A-Za-z0-9])[A-Za-z0-9._%+-]*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_PHONE = re.compile(r"(?<![0-9A-Za-z])\+[0-9][0-9 ().-]{6,16}([0-9]{2})(?![0-9])")

_MIN_LENGTH, _MIN_ITEM_LENGTH = 4, 8


class LiveSecrets:
    """The secrets of this process. Thread-safe. Registered secrets are never removed."""

    def __init__(self) -> None:
        """Start without secrets."""
        self._lock = Lock()
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def register(self, secret: str) -> None:
        """Blank this text from now on in every quoting. Texts of fewer than four characters are ignored."""
        spellings = {spelling for spelling in _spellings(secret) if len(spelling) >= _MIN_LENGTH}
        with self._lock:
            if spellings <= self._spellings:
                return
            self._spellings |= spellings
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def blank(self, text: str) -> str:
        """Return the text with the secrets blanked."""
        pattern = self._pattern
        return pattern.sub(BLANK, text) if pattern else text


_live = LiveSecrets()


def register_secret(secret: str) -> None:
    """Blank this text from now on wherever this process redacts, in every quoting."""
    _live.register(secret)


def register_secrets(secrets: Iterable[str]) -> None:
    """Register several secrets, a URL with its parts (see `register_url`), a list in one text with its items."""
    for secret in secrets:
        if "://" in secret:
            register_url(secret)
        register_secret(secret)
        for item in re.split(r"[,\s]+", secret):
            if len(item) >= _MIN_ITEM_LENGTH:
                register_secret(item)


def register_url(url: str) -> None:
    """Register a secret URL and each part that could be secret: names, passwords, path, query values.

    The host stays readable. A token in the place of the host, as in some Apprise URLs, contains no dot and is
    registered.
    """
    _, _, rest = url.partition("://")
    register_secret(url)
    for part in re.split(r"[/?&=:@,;#]", rest):
        is_host = "." in part or part == "localhost"
        if len(part) > _MIN_LENGTH and not is_host and not part.isdigit():
            register_secret(part)
            register_secret(unquote(part))


def redact_text(text: str) -> str:
    """Return the text without secrets, texts that look like one, and personal numbers. Idempotent."""
    text = _live.blank(text)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<before>{BLANK}", text)
    text = _MAIL.sub(r"\1•••@\2", text)
    text = _PHONE.sub(r"+••••••\1", text)
    text = _RECEIPT.sub(lambda match: f"{match[1].upper()}••••••{match[2]}", text)
    text = _APPLICATION.sub(r"\1•••••\2", text)
    return _CLIENT.sub(r"••••••\1", text)


def redact(value: object) -> object:
    """Return any value as plain data (text, numbers, lists, dictionaries) without secrets.

    The values of keys that name a secret are blanked.
    """
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        as_text = redact_text(str(value))
        return value if as_text == str(value) else as_text
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {str(redact(str(key))): _redact_item(str(key), item) for key, item in value.items()}
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray):
        return [redact(item) for item in value]
    return redact_text(str(value))


def _redact_item(key: str, value: object) -> object:
    return BLANK if value is not None and is_secret_key(key) else redact(value)


def _spellings(secret: str) -> Iterator[str]:
    """Yield the text as libraries write it: plain, or quoted for URLs, JSON, HTML, Python, or Basic authentication."""
    for text in {secret, secret.strip()}:
        yield text
        yield quote(text, safe="")
        yield quote(text)
        yield quote_plus(text)
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield html.escape(text)
        yield repr(text)[1:-1]
        yield base64.b64encode(text.encode()).decode()
