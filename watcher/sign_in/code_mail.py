"""Recognize the portal's code mail, and find the code in it. Pure.

Code mails are HTML full of six-digit colors, and they can be forged, delayed, and repeated. So the sender must be the
only address in `From`, `Date` must be later than the request, tags and styles are removed before digits are searched,
and if several numbers could be the code, there is no code. A message that failed DMARC at the mail server (RFC 8601) is
forged. Size and nesting are limited, so that no message can stop the search.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from enum import StrEnum
from typing import Final

from watcher.text.charset import decode
from watcher.text.html import plain_text
from watcher.text.printable import clean

_ADDRESS: Final = re.compile(r"""(?:[^<>]*<\s*([^<>\s@]+@[^<>\s@]+)\s*>|([^<>\s@,;:"()]+@[^<>\s@,;:"()]+))\s*""")
_LINK: Final = re.compile(r"(?i)\bhttps?://\S+")
_CODE: Final = re.compile(r"(?<![\w#.,/+=-])[0-9]{6}(?![\w/=-])(?![.,:][0-9])", re.ASCII)
_GROUPED_CODE: Final = re.compile(
    r"(?<![\w#.,/+=-])(?<![0-9] )(?:[0-9]{3}[ -][0-9]{3}|[0-9](?: [0-9]){5}|[0-9]{2}(?: [0-9]{2}){2})"
    r"(?![\w/=-])(?![ .,:][0-9])",
    re.ASCII,
)
"""A code that is written in groups, such as `123 456`. It counts only near the word."""
_NEAR: Final = re.compile(r"(?i)\bc[oó]d(?:e|igo)\b(.{0,120})", re.DOTALL)
_DMARC_FAILED: Final = re.compile(r"(?i)\bdmarc\s*=\s*fail\b")
_NESTING: Final = re.compile(rb"(?i)multipart/|message/")
_MAX_NESTING: Final = 20
"""Multipart and forwarded parts. The parser recurses for each of them."""
_MAX_HEADER: Final = 10_000
_MAX_PAGE: Final = 60_000
"""Characters of HTML; the HTML parser takes up to a second for this many."""


class MailVerdict(StrEnum):
    """The kinds of messages that a search can meet."""

    CODE = "code"
    OTHER_SENDER = "other_sender"
    FORGED = "forged"
    TOO_OLD = "too_old"
    UNREADABLE = "unreadable"
    NO_CODE = "no_code"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The kind of a message, its code if it is the code mail, and the addresses it was sent to, in lower case."""

    kind: MailVerdict
    code: str | None = field(default=None, repr=False)
    recipients: frozenset[str] = field(default=frozenset(), repr=False)


def find_code(raw: bytes, *, sender: str, since: datetime) -> Verdict:
    """Examine one message. `sender` is an address or `@domain` in lower case; `since` is aware. Never raises."""
    try:
        return _judge(raw, sender, since)
    except Exception:  # noqa: BLE001 - the email package raises all kinds of errors for malformed messages
        return Verdict(kind=MailVerdict.UNREADABLE)


def _judge(raw: bytes, sender: str, since: datetime) -> Verdict:
    headers = BytesHeaderParser().parsebytes(raw)
    if not _is_from(headers, sender):
        return Verdict(kind=MailVerdict.OTHER_SENDER)
    if any(_DMARC_FAILED.search(value) for value in _values(headers, "Authentication-Results")):
        return Verdict(kind=MailVerdict.FORGED)
    dated = sent_at(headers)
    if dated is None or dated < since:
        return Verdict(kind=MailVerdict.TOO_OLD)
    if is_nested_too_deep(raw):
        return Verdict(kind=MailVerdict.UNREADABLE)
    found = _code("\n".join(visible_texts(message_from_bytes(raw))))
    return replace(found, recipients=recipients(headers))


def is_nested_too_deep(raw: bytes) -> bool:
    """Return whether parsing the message could take forever."""
    return sum(1 for _ in _NESTING.finditer(raw)) > _MAX_NESTING


def _values(headers: Message, name: str) -> list[str]:
    return [str(value) for value in headers.get_all(name) or [] if len(str(value)) <= _MAX_HEADER]


def _is_from(headers: Message, sender: str) -> bool:
    address = sender_address(headers) or ""
    return address.endswith(sender) if sender.startswith("@") else address == sender


def sender_address(headers: Message) -> str | None:
    """Return the only address in `From`, in lower case; None if there is none, or more than one."""
    values = headers.get_all("From") or []
    text = str(values[0]) if len(values) == 1 else ""
    match = _ADDRESS.fullmatch(re.sub(r"\s+", " ", text).strip()) if len(text) <= _MAX_HEADER else None
    return None if match is None else (match.group(1) or match.group(2)).lower()


def subject(headers: Message) -> str:
    """Return the subject as it is shown."""
    return str(make_header(decode_header("".join(_values(headers, "Subject")[:1]))))


def recipients(headers: Message) -> frozenset[str]:
    """Return the addresses that the message was sent to, in lower case."""
    values = [value for name in ("To", "Cc", "Delivered-To", "X-Original-To") for value in _values(headers, name)]
    return frozenset(address.lower() for _, address in getaddresses(values) if address)


def sent_at(headers: Message) -> datetime | None:
    """Return when the message was sent, by its `Date`; None if that is missing or damaged."""
    try:
        moment = parsedate_to_datetime("".join(_values(headers, "Date")[:1]))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _code(text: str) -> Verdict:
    text = _LINK.sub(" ", text)
    near = _NEAR.findall(text)
    codes = set(_CODE.findall(text))
    if len(codes) > 1:
        codes = {code for words in near for code in _CODE.findall(words)}
        if not codes:
            return Verdict(kind=MailVerdict.SEVERAL)
    codes = codes or {re.sub("[ -]", "", code) for words in near for code in _GROUPED_CODE.findall(words)}
    if not codes:
        return Verdict(kind=MailVerdict.NO_CODE)
    if len(codes) > 1:
        return Verdict(kind=MailVerdict.SEVERAL)
    return Verdict(kind=MailVerdict.CODE, code=codes.pop())


def visible_texts(message: Message) -> Iterator[str]:
    """Yield the visible texts of a message, without attachments and forwarded messages."""
    kind = message.get_content_type()
    if message.get_content_disposition() == "attachment" or kind.startswith("message/"):
        return
    if message.is_multipart():
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from visible_texts(part)
    elif kind in ("text/plain", "text/html"):
        text = _decoded(message)
        yield plain_text(text[:_MAX_PAGE]) if kind == "text/html" else clean(text)


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    if content.isascii() and b"\0" not in content:  # whatever it declares, such as UTF-16
        return content.decode("ascii")
    return decode(content, str(part.get_content_charset("utf-8")))
