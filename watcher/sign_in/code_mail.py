"""Recognize the portal's code mail, and find the code in it. Pure.

Code mails are HTML full of six-digit colors, and they can be forged, delayed, and repeated. So the sender must be the
only address in `From`, `Date` must be later than the request, tags and styles are removed before digits are searched,
and if several numbers could be the code, there is no code.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from watcher.text.charset import decode
from watcher.text.html import plain_text

_ADDRESS: Final = re.compile(r"""(?:[^<>]*<\s*([^<>\s@]+@[^<>\s@]+)\s*>|([^<>\s@,;:"()]+@[^<>\s@,;:"()]+))\s*""")
_LINK: Final = re.compile(r"(?i)\bhttps?://\S+")
_CODE: Final = re.compile(r"(?<![\w#.,/+=-])[0-9]{6}(?![\w/=-])(?![.,:][0-9])", re.ASCII)
_NEAR: Final = re.compile(r"(?i)\bcode\b(.{0,120})", re.DOTALL)


class MailVerdict(StrEnum):
    """The kinds of messages that a search can meet."""

    CODE = "code"
    OTHER_SENDER = "other_sender"
    TOO_OLD = "too_old"
    NO_CODE = "no_code"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The kind of a message, and its code if it is the code mail."""

    kind: MailVerdict
    code: str | None = field(default=None, repr=False)


def find_code(raw: bytes, *, sender: str, since: datetime) -> Verdict:
    """Examine one message. `sender` is an address or `@domain` in lower case; `since` is aware."""
    message = message_from_bytes(raw)
    if not _is_from(message, sender):
        return Verdict(kind=MailVerdict.OTHER_SENDER)
    dated = _date(message)
    if dated is None or dated < since:
        return Verdict(kind=MailVerdict.TOO_OLD)
    return _code("\n".join(_texts(message)))


def _is_from(message: Message, sender: str) -> bool:
    headers = message.get_all("From") or []
    match = _ADDRESS.fullmatch(re.sub(r"\s+", " ", str(headers[0])).strip()) if len(headers) == 1 else None
    if match is None:
        return False
    address = (match.group(1) or match.group(2)).lower()
    return address.endswith(sender) if sender.startswith("@") else address == sender


def _date(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message.get("Date", "")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _code(text: str) -> Verdict:
    text = _LINK.sub(" ", text)
    codes = set(_CODE.findall(text))
    if not codes:
        return Verdict(kind=MailVerdict.NO_CODE)
    if len(codes) > 1:
        codes = {code for near in _NEAR.findall(text) for code in _CODE.findall(near)}
    if len(codes) != 1:
        return Verdict(kind=MailVerdict.SEVERAL)
    return Verdict(kind=MailVerdict.CODE, code=codes.pop())


def _texts(message: Message) -> Iterator[str]:
    """Yield the visible texts of a message, without attachments and forwarded messages."""
    kind = message.get_content_type()
    if message.get_content_disposition() == "attachment" or kind.startswith("message/"):
        return
    if message.is_multipart():
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _texts(part)
    elif kind in ("text/plain", "text/html"):
        text = _decoded(message)
        yield plain_text(text) if kind == "text/html" else text


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return decode(content, str(part.get_content_charset("utf-8")))
