"""What lies on disk, sealed: checked for damage, and encrypted where a key is set.

Sealed content begins with one line that says how it is kept:

    NAME plain SHA256          the content follows, with its checksum
    NAME fernet SALT           a Fernet token follows, its key made from `state_key` and SALT by scrypt

Fernet: https://github.com/fernet/spec. The first key encrypts, every key decrypts, so that keys can change.
"""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class SealFault(StrEnum):
    """Why sealed content cannot be used."""

    DAMAGED = "damaged"
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"


class Unsealable(Exception):
    """The content cannot be used. Holds nothing of it."""

    def __init__(self, fault: SealFault) -> None:
        """Keeps why."""
        self.fault = fault
        super().__init__(fault.value)


class Seal:
    """Turns content into what stands on disk, and back. `name` tells one kind of content from another."""

    def __init__(self, name: str, keys: Sequence[SecretStr] = ()) -> None:
        """Without keys nothing is encrypted. Empty keys are none."""
        self._name = name.encode()
        self._keys = tuple(key.get_secret_value() for key in keys if key.get_secret_value())
        self._salt = secrets.token_bytes(16)

    def close(self, content: bytes) -> bytes:
        """The content as it is to be kept."""
        if not self._keys:
            return self._kept(b"plain", hashlib.sha256(content).hexdigest().encode(), content)
        token = _fernet(self._keys[0], self._salt).encrypt(content)
        return self._kept(b"fernet", self._salt.hex().encode(), token)

    def open(self, kept: bytes) -> bytes:
        """What was once given to `close`. Raises `Unsealable`."""
        how, mark, body = self._parts(kept)
        if how == b"plain" and hashlib.sha256(body).hexdigest().encode() == mark:
            return body
        if how == b"fernet":
            return _decrypted(self._keys, mark, body)
        raise Unsealable(SealFault.DAMAGED)

    def is_current(self, kept: bytes) -> bool:
        """Whether it is kept as `close` would keep it now: by the first key, or plain where there is none."""
        try:
            how, mark, body = self._parts(kept)
            if how == b"plain" or not self._keys:
                return how == b"plain" and not self._keys
            _decrypted(self._keys[:1], mark, body)
        except Unsealable:
            return False
        return True

    def _kept(self, how: bytes, mark: bytes, body: bytes) -> bytes:
        return b"%s %s %s\n%s" % (self._name, how, mark, body)

    def _parts(self, kept: bytes) -> tuple[bytes, bytes, bytes]:
        line, _, body = kept.partition(b"\n")
        words = line.removeprefix(self._name + b" ").split(b" ")
        if not line.startswith(self._name + b" ") or len(words) != 2:  # noqa: PLR2004 - how it is kept, and its mark
            raise Unsealable(SealFault.DAMAGED)
        return words[0], words[1], body


def _decrypted(keys: Sequence[str], salt: bytes, token: bytes) -> bytes:
    from cryptography.fernet import InvalidToken, MultiFernet  # noqa: PLC0415 - only those who set a key pay for it

    if not keys:
        raise Unsealable(SealFault.KEY_MISSING)
    try:
        shaken = bytes.fromhex(salt.decode("ascii"))
        return MultiFernet([_fernet(key, shaken) for key in keys]).decrypt(token)
    except InvalidToken:
        raise Unsealable(SealFault.KEY_WRONG) from None
    except ValueError:
        raise Unsealable(SealFault.DAMAGED) from None


@lru_cache(maxsize=16)
def _fernet(key: str, salt: bytes) -> "Fernet":
    """From a key that may be a mere passphrase (scrypt, RFC 7914; 16 MiB, a few hundredths of a second)."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - only those who set a key pay for it

    stretched = hashlib.scrypt(key.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return Fernet(base64.urlsafe_b64encode(stretched))
