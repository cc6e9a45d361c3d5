"""Sealed content on disk: protected by a checksum, and encrypted if a key is set.

Sealed content begins with a line that names the format:

    NAME plain SHA256          the content follows; SHA256 is its checksum
    NAME fernet SALT           a Fernet token follows; its key is derived from a key of the user's and SALT

Fernet: https://github.com/fernet/spec. The first key encrypts, every key decrypts, so that keys can change.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_RANDOM_KEY = re.compile(r"random:[0-9a-f]{64}")


def new_key() -> SecretStr:
    """Return a random key of 256 bits."""
    return SecretStr(f"random:{secrets.token_hex(32)}")


class SealFault(StrEnum):
    """Why sealed content cannot be used."""

    DAMAGED = "damaged"
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"


class Unsealable(Exception):
    """The sealed content cannot be used. The error contains nothing of it."""

    def __init__(self, fault: SealFault) -> None:
        """Store the reason."""
        self.fault = fault
        super().__init__(fault.value)


class Seal:
    """Seals and unseals content. `name` distinguishes kinds of content."""

    def __init__(self, name: str, keys: Sequence[SecretStr] = ()) -> None:
        """Without keys nothing is encrypted. Empty keys are ignored."""
        self._name = name.encode()
        self._keys = tuple(key.get_secret_value() for key in keys if key.get_secret_value())
        self._salt = secrets.token_bytes(16)

    def seal(self, content: bytes) -> bytes:
        """Return the content in sealed form."""
        if not self._keys:
            return self._format(b"plain", hashlib.sha256(content).hexdigest().encode(), content)
        token = _fernet(self._keys[0], self._salt).encrypt(content)
        return self._format(b"fernet", self._salt.hex().encode(), token)

    def unseal(self, sealed: bytes) -> bytes:
        """Return the content. Raises `Unsealable`."""
        method, parameter, body = self._parts(sealed)
        if method == b"plain" and hashlib.sha256(body).hexdigest().encode() == parameter:
            return body
        if method == b"fernet":
            return _decrypted(self._keys, parameter, body)
        raise Unsealable(SealFault.DAMAGED)

    def is_current(self, sealed: bytes) -> bool:
        """Return whether it is sealed as `seal` would now: with the first key, or plain without keys."""
        try:
            method, parameter, body = self._parts(sealed)
            if method == b"plain" or not self._keys:
                return method == b"plain" and not self._keys
            _decrypted(self._keys[:1], parameter, body)
        except Unsealable:
            return False
        return True

    def _format(self, method: bytes, parameter: bytes, body: bytes) -> bytes:
        return b"%s %s %s\n%s" % (self._name, method, parameter, body)

    def _parts(self, sealed: bytes) -> tuple[bytes, bytes, bytes]:
        line, _, body = sealed.partition(b"\n")
        fields = line.removeprefix(self._name + b" ").split(b" ")
        if not line.startswith(self._name + b" ") or len(fields) != 2:  # noqa: PLR2004 - method and parameter
            raise Unsealable(SealFault.DAMAGED)
        return fields[0], fields[1], body


def _decrypted(keys: Sequence[str], salt: bytes, token: bytes) -> bytes:
    from cryptography.fernet import InvalidToken, MultiFernet  # noqa: PLC0415 - loaded only if a key is set

    if not keys:
        raise Unsealable(SealFault.KEY_MISSING)
    try:
        raw_salt = bytes.fromhex(salt.decode("ascii"))
        return MultiFernet([_fernet(key, raw_salt) for key in keys]).decrypt(token)
    except InvalidToken:
        raise Unsealable(SealFault.KEY_WRONG) from None
    except ValueError:
        raise Unsealable(SealFault.DAMAGED) from None


@lru_cache(maxsize=16)
def _fernet(key: str, salt: bytes) -> "Fernet":
    from cryptography.fernet import Fernet  # noqa: PLC0415 - loaded only if a key is set

    return Fernet(base64.urlsafe_b64encode(derived_key(key, salt)))


@lru_cache(maxsize=16)
def derived_key(key: str, salt: bytes) -> bytes:
    """Return 32 bytes made from `key`, which may be a passphrase (scrypt, RFC 7914; 16 MiB, some 0.05 s)."""
    if _RANDOM_KEY.fullmatch(key):
        return hashlib.blake2b(salt, key=key[-64:].encode(), digest_size=32).digest()
    return hashlib.scrypt(key.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
