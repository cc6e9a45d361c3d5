"""Decide what a mail is: the agency's about a case, another one of the agency's, a forged one, or unrelated. Pure.

Nobody knows the exact texts of an agency. What is known is the shape: a mail about a case names it, or speaks of "your
case" in the language of the user, and carries no one-time code. Nothing else of the text matters.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from enum import StrEnum
from typing import Final

from watcher.official_mail.proof import Lookup, Proof, is_covered, prove
from watcher.sign_in.code_mail import is_nested_too_deep, recipients, sender_address, sent_at, subject, visible_texts

_MAX_DELAY: Final = timedelta(days=3)
"""Between sending and arrival. A genuine mail that comes later may have been sent again by somebody else."""

_CLOCK_DIFFERENCE: Final = timedelta(hours=1)
_CASE: Final = re.compile(
    r"(?i)\b(?:[A-Z]{3}[0-9]{10}"
    r"|(?:your|my|the|a) (?:[\w-]+ ){0,2}(?:case|application|petition)"
    r"|case (?:status|number|update|was)|receipt number|application (?:status|number)"
    r"|(?:su|un|el) (?:caso|solicitud|petición)|número de (?:recibo|caso)"
    r"|(?:votre|la|une) (?:demande|pétition)|votre dossier|numéro de (?:reçu|dossier|demande))\b"
)
_CODE: Final = re.compile(
    r"(?i)\b(?:one[- ]time|verification|security|secure|sign[- ]in|log[- ]?in|access) (?:\w+ )?"
    r"(?:code|password|passcode)"
    r"|\bpasscode\b|\bcódigo (?:de (?:verificación|seguridad|acceso|un solo uso)|temporal)"
    r"|\bcode (?:de (?:vérification|sécurité)|à usage unique)"
)


class MailKind(StrEnum):
    """What a mail is. `forged`: it claims to be from a confirmed sender, and nothing proves it."""

    OFFICIAL = "official"
    OTHER = "other"
    FORGED = "forged"
    UNRELATED = "unrelated"
    UNSURE = "unsure"
    UNREADABLE = "unreadable"


def judge(raw: bytes, *, arrived: datetime, senders: Sequence[str], authserv_id: str, lookup: Lookup) -> MailKind:
    """Return what a complete mail is. `senders` are the confirmed ones, `arrived` is aware. Never raises."""
    try:
        headers = BytesHeaderParser().parsebytes(raw)
        return _judge(raw, headers, arrived, senders, authserv_id, lookup)
    except Exception:  # noqa: BLE001 - the email package raises all kinds of errors for malformed messages
        return MailKind.UNREADABLE


def recipients_of(raw: bytes) -> frozenset[str]:
    """Return the addresses that a mail was sent to, in lower case; none if it cannot be read."""
    try:
        return recipients(BytesHeaderParser().parsebytes(raw))
    except Exception:  # noqa: BLE001 - as in `judge`
        return frozenset()


def _judge(
    raw: bytes, headers: Message, arrived: datetime, senders: Sequence[str], authserv_id: str, lookup: Lookup
) -> MailKind:
    address = sender_address(headers)
    confirmed = next((sender for sender in senders if address and _is_from(address, sender)), None)
    if confirmed is None:
        return MailKind.FORGED if _names_a_sender(headers, senders) else MailKind.UNRELATED
    proof = prove(raw, headers, sender=confirmed, authserv_id=authserv_id, lookup=lookup)
    if proof is Proof.UNSURE:
        return MailKind.UNSURE
    if proof is Proof.UNPROVEN:
        return MailKind.FORGED
    sent = sent_at(headers)
    is_recent = sent is not None and -_CLOCK_DIFFERENCE <= arrived - sent <= _MAX_DELAY
    return MailKind.OFFICIAL if is_recent and _is_about_a_case(raw, headers) else MailKind.OTHER


def _is_from(address: str, sender: str) -> bool:
    return is_covered(sender, address.rpartition("@")[2]) if sender.startswith("@") else address == sender


def _names_a_sender(headers: Message, senders: Sequence[str]) -> bool:
    """Return whether `From` shows the address of a confirmed sender, though the mail is from another one."""
    written = " ".join(map(str, headers.get_all("From") or ()))
    shown = f"{written} {_decoded(written)}".lower()
    return any(sender.removeprefix("@") in shown for sender in senders)


def _decoded(text: str) -> str:
    """Return a header's text with its encoded words decoded (RFC 2047), as it is shown; as it is if it is damaged."""
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError, HeaderParseError):
        return text


def _is_about_a_case(raw: bytes, headers: Message) -> bool:
    if is_nested_too_deep(raw):
        return False
    text = " ".join("\n".join([subject(headers), *visible_texts(message_from_bytes(raw))]).split())
    return bool(_CASE.search(text)) and not _CODE.search(text)
