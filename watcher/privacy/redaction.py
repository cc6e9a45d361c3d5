"""Redaction of secrets in logs, errors, traces, and stored answers, and of personal data in logs and errors.

Three methods are combined: the secrets that this process works with, in any spelling; values that are secret by their
name or form; and, in logs, prose about secrets and personal numbers. Redacted case numbers keep enough digits to
distinguish two cases.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from urllib.parse import unquote

from watcher.privacy.live_secrets import LiveSecrets
from watcher.privacy.sensitive_keys import is_secret_key
from watcher.privacy.spellings import Span, decodings
from watcher.privacy.tokens import token_spans

BLANK = "[redacted]"

# Every repetition that can start anywhere is bounded, so that matching takes linear time.
_KEYWORD = r"[a-z_-]{0,40}(?:password|passwd|passphrase|secret|token|otp|mfa_code)"
_HEADER = r"(?:set-cookie|cookie|authorization|x-api-key)"
_VALUE = r"""(?:"[^"]*"|'[^']*'|(?!"?\[redacted\])[^\s"',;&}]+)"""

# The text in the group "before" is kept.
_IN_LOGS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i)(?P<before>\b(?:bearer|basic|digest)\s+)[A-Za-z0-9._~+/=-]{6,}",
        rf"(?i)(?P<before>\b{_HEADER}[\"']?\s*[:=]\s*)[^\r\n]+",
        rf"(?i)(?P<before>\b{_KEYWORD}[\"']?\s*[:=]\s*){_VALUE}",
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

_WIDE_CHARSET = re.compile(r"(?i)charset\s*=\s*[\"']?(utf-(?:16|32)(?:[bl]e)?)\b")

_LOOKS_LIKE_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])\S{8,}")
_BEFORE_JSON_NUMBER = re.compile(r'[^\\]":\s?$')

_MIN_LENGTH, _MIN_ITEM_LENGTH = 4, 8

_DATABASE_URL = re.compile(
    r"(?:postgres(?:ql)?|sqlite)(?:\+\w+)?://(?:[^:@/?#]*(?::(?P<password>[^@/?#]*))?@)?[^@?#]*(?:\?(?P<query>[^@]*))?"
)
_DATABASE_PASSWORD = re.compile(r"(?<![^&])\w*password=([^&]*)")

_live = LiveSecrets()


def register_secret(secret: str) -> None:
    """Blank this text from now on wherever this process redacts, in every spelling."""
    _live.register(secret)


def register_session_value(value: str, *, min_length: int = _MIN_ITEM_LENGTH) -> None:
    """Blank a cookie, token, or one-time code likewise, until many newer ones were registered."""
    _live.register_session_value(value, min_length=min_length)


def register_secrets(secrets: Iterable[str]) -> None:
    """Register several secrets, a URL with its parts (see `register_url`), a list in one text with its items.

    Addresses may be separated by spaces. A password may contain spaces, and its words are no secrets: one of them can
    be the name of the account.
    """
    for secret in secrets:
        if "://" in secret:
            register_url(secret)
        register_secret(secret)
        for item in re.split(r"[,\s]+" if "://" in secret else r"\s*[,\n]\s*", secret):
            if len(item) >= _MIN_ITEM_LENGTH:
                register_secret(item)


def register_url(url: str) -> None:
    """Register a secret URL and each part that could be secret: names, passwords, path, query values.

    The host stays readable. A token in the place of the host, as in some Apprise URLs, contains no dot and is
    registered. Of a database's URL only passwords are secret.
    """
    register_secret(url)
    for secret in _secret_parts(url):
        register_secret(secret)
        register_secret(unquote(secret))


def _secret_parts(url: str) -> Iterator[str]:
    if database := _DATABASE_URL.fullmatch(url):
        yield database["password"] or ""
        yield from _DATABASE_PASSWORD.findall(database["query"] or "")
        return
    _, _, rest = url.partition("://")
    if password := re.match(r"[^/:@]*:([^/@]+)@", rest):
        yield password[1]
    for part in re.split(r"[/?&=:@,;#]", rest):
        is_host = "." in part or part == "localhost"
        if len(part) > _MIN_LENGTH and not is_host and not part.isdigit():
            yield part


def redact_secrets(text: str, seen: LiveSecrets | None = None) -> str:
    """Return a page, script, or address without secrets: registered ones and tokens, wherever repeated. Idempotent.

    A JSON document stays one. `seen` has the secrets of earlier texts that belong to this one; those of this text are
    added.
    """
    steps = [*decodings(text)]
    seen = seen or LiveSecrets()
    found: list[Span] = []
    for step in steps:
        for start, end in token_spans(step.text):
            if start < end and step.is_quoted_alike(start, end):
                found.append(step.in_page((start, end)))
                if _LOOKS_LIKE_TOKEN.fullmatch(value := step.text[start:end]):
                    seen.register_session_value(value)
    for step in steps:
        found += (*_live.spans(step), *seen.spans(step))
    return "".join(_without(text, found))


def redact_body(body: bytes, content_type: str = "", seen: LiveSecrets | None = None) -> bytes:
    """Return the body of an answer without secrets, in its charset. Other octets are kept."""
    wide = _WIDE_CHARSET.search(content_type)
    if wide:
        return redact_secrets(body.decode(wide[1], "replace"), seen).encode(wide[1], "replace")
    return redact_secrets(body.decode("utf-8", "surrogateescape"), seen).encode("utf-8", "surrogateescape")


def redact_text(text: str) -> str:
    """Return the text without secrets, texts that look like one, and personal numbers. Idempotent."""
    text = redact_secrets(text)
    for pattern in _IN_LOGS:
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


def _without(text: str, spans: Iterable[Span]) -> Iterator[str]:
    """Yield the text with each span blanked; overlapping ones as one. A number in JSON becomes a text."""
    position = 0
    start = end = -1
    for span_start, span_end in (*sorted(spans), (len(text) + 1, len(text) + 1)):
        if span_start < end:
            end = max(end, span_end)
            continue
        if start >= 0:
            is_json_number = text[start:end].isdigit() and _BEFORE_JSON_NUMBER.search(text[max(0, start - 4) : start])
            yield text[position:start]
            yield f'"{BLANK}"' if is_json_number else BLANK
            position = end
        start, end = span_start, span_end
    yield text[position:]
