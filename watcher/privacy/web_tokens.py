"""Random tokens for links and devices. The database has only their digests."""

import hmac
import secrets
from hashlib import sha256

_BYTES = 32
MAX_LENGTH = 64
"""No token that a request sends is longer. One of ours has 43 characters."""


def new_token() -> str:
    """Return a token of 256 random bits that fits into an address and a cookie."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> bytes:
    """Return the digest by which the database knows the token. Its randomness makes a salt needless."""
    return sha256(token.encode("utf-8", "replace")).digest()


def form_token(token: str) -> str:
    """Return the text that a form must send back: only who knows the token, or was shown the form, knows it."""
    return hmac.digest(token.encode("utf-8", "replace"), b"form", "sha256").hex()
