"""Takes secrets and personal data out of text before anybody else sees it: logs, errors, traces.

Two nets, one behind the other: what secrets and numbers look like, and the live secrets themselves, which the
program registers as it reads them. Case numbers and the like keep enough of themselves to tell two cases apart.
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

# Every repetition that can begin anywhere has a bound, so that no text takes longer than its length deserves.
_PARAMETER = r"(?:[a-z_-]{0,40}(?:token|secret|password|passwd|key|sig|signature|session)|code|state|otp|pwd|auth)"
_KEYWORD = r"[a-z_-]{0,40}(?:password|passwd|passphrase|secret|token|otp|mfa_code)"
_HEADER = r"(?:set-cookie|cookie|authorization|x-api-key)"
_VALUE = r"""(?:"[^"]*"|'[^']*'|(?!\[redacted\])[^\s"',;&}]+)"""

# Of each match what stands in the group "before" is kept, and so is what follows it.
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
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
# A UCI is written 1100000001 or 11-0000-0001; eight digits that read as a date are left.
_CLIENT = re.compile(
    r"(?<![A-Za-z0-9])(?<![0-9]\.)(?!20[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9](?![0-9]))"
    r"(?:[0-9]{2}-?)?[0-9]{4}-?([0-9]{4})(?![A-Za-z0-9])"
)
_MAIL = re.compile(r"(?<![A-Za-z0-9._%+-])([A-Za-z0-9])[A-Za-z0-9._%+-]*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_PHONE = re.compile(r"(?<![0-9A-Za-z])\+[0-9][0-9 ().-]{6,16}([0-9]{2})(?![0-9])")

_SHORTEST, _SHORTEST_MEMBER = 4, 8


class LiveSecrets:
    """The secrets that this process holds. Thread-safe; what was registered stays until the process ends."""

    def __init__(self) -> None:
        """Knows none yet."""
        self._lock = Lock()
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def register(self, secret: str) -> None:
        """From now on this text is blanked, however it is quoted. Fewer than four characters hide nothing: left."""
        wanted = {spelling for spelling in _spellings(secret) if len(spelling) >= _SHORTEST}
        with self._lock:
            if wanted <= self._spellings:
                return
            self._spellings |= wanted
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def blank(self, text: str) -> str:
        """The text without them."""
        pattern = self._pattern
        return pattern.sub(BLANK, text) if pattern else text


_live = LiveSecrets()


def register_secret(secret: str) -> None:
    """From now on this text is blanked wherever this process redacts, however it is quoted."""
    _live.register(secret)


def register_secrets(secrets: Iterable[str]) -> None:
    """Registers several; a URL with its parts (see `register_url`), and of a list in one text each of its members."""
    for secret in secrets:
        if "://" in secret:
            register_url(secret)
        register_secret(secret)
        for member in re.split(r"[,\s]+", secret):
            if len(member) >= _SHORTEST_MEMBER:
                register_secret(member)


def register_url(url: str) -> None:
    """Registers a URL that is a secret, and each part of it that could be one: names, passwords, path, query values.

    A host is left readable; a token that stands in its place, as in some Apprise URLs, has no dot and is not.
    """
    _, _, rest = url.partition("://")
    register_secret(url)
    for part in re.split(r"[/?&=:@,;#]", rest):
        is_host = "." in part or part == "localhost"
        if len(part) > _SHORTEST and not is_host and not part.isdigit():
            register_secret(part)
            register_secret(unquote(part))


def redact_text(text: str) -> str:
    """The text with live secrets, what looks like one, and personal numbers blanked. Idempotent."""
    text = _live.blank(text)
    for shape in _SHAPES:
        text = shape.sub(rf"\g<before>{BLANK}", text)
    text = _MAIL.sub(r"\1•••@\2", text)
    text = _PHONE.sub(r"+••••••\1", text)
    text = _RECEIPT.sub(lambda found: f"{found[1].upper()}••••••{found[2]}", text)
    text = _APPLICATION.sub(r"\1•••••\2", text)
    return _CLIENT.sub(r"••••••\1", text)


def redact(value: object) -> object:
    """Any value as plain data (text, numbers, lists, dictionaries) without secrets, keys that name one included."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        as_text = redact_text(str(value))
        return value if as_text == str(value) else as_text
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {str(redact(str(key))): _by_key(str(key), one) for key, one in value.items()}
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray):
        return [redact(one) for one in value]
    return redact_text(str(value))


def _by_key(key: str, value: object) -> object:
    return BLANK if value is not None and is_secret_key(key) else redact(value)


def _spellings(secret: str) -> Iterator[str]:
    """The ways in which libraries write a text: as it is, in URLs, in JSON, in HTML, in Python, in Basic auth."""
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
