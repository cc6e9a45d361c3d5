"""Mails as an agency sends them, with real DKIM signatures, and as others forge them. No address is a real person's."""

import base64
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache

import dkim  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from watcher.official_mail.proof import DnsUnavailable, Lookup

AGENCY, DOMAIN = "notices@agency.example.gov", "agency.example.gov"
SENDERS = (f"@{DOMAIN}",)
ARRIVED = datetime(2026, 7, 30, 14, tzinfo=UTC)
ABOUT_A_CASE = "There is news about your case. Sign in to your account: https://evil.example.com/ IOE0000000001"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def dns(**records: bytes) -> Lookup:
    """Return a DNS in which every domain has the key of `signed`, except for `records`, by selector."""
    public = (
        _key().public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    key = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    return lambda name: records.get(name.partition(".")[0], key)


def no_dns(_name: str) -> bytes | None:
    raise DnsUnavailable


def mail(
    text: str = ABOUT_A_CASE,
    *,
    sender: str = f"Agency <{AGENCY}>",
    to: str = "someone@example.org",
    subject: str = "Your case was updated",
    date: datetime = ARRIVED,
    headers: str = "",
) -> bytes:
    """Return a mail without a signature. `headers` are further ones, each with its line break, at the top."""
    lines = (
        f"{headers}From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {format_datetime(date)}",
        "Message-ID: <1@agency.example.gov>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
        "",
    )
    return "\r\n".join(lines).encode()


def signed(
    raw: bytes, *, domain: str = DOMAIN, selector: str = "key", length: bool = False, headers: tuple[str, ...] = ()
) -> bytes:
    """Return the mail with a valid DKIM signature of `domain`."""
    private = _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    signature: bytes = dkim.sign(
        raw,
        selector.encode(),
        domain.encode(),
        private,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[name.encode() for name in headers or ("from", "to", "subject", "date")],
        length=length,
    )
    return signature + raw
