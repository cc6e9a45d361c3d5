"""Checking time-based one-time codes, RFC 6238: SHA-1, six digits, thirty seconds, and no code twice.

The portal's side, written apart from the product's own (`watcher.sign_in.totp`), so that each proves the other.
"""

import base64
import hmac
import struct

STEP_SECONDS = 30
_DRIFT_STEPS = 1


def code_at(secret: str, step: int) -> str:
    """The code of a time step (Unix time over thirty seconds) for a base32 secret, padded or not."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


class CodeChecker:
    """Checks codes against one secret; a code, and any older one, is refused once it has been used."""

    def __init__(self, secret: str) -> None:
        """Takes the base32 secret; 80 bits are enough."""
        self._secret, self._used = secret, -1

    def accept(self, code: str, unix_time: float) -> bool:
        """Whether the code is good at this Unix time, one step of drift allowed; if so it is used up."""
        now = int(unix_time) // STEP_SECONDS
        for step in range(max(now - _DRIFT_STEPS, self._used + 1, 0), now + _DRIFT_STEPS + 1):
            if hmac.compare_digest(code_at(self._secret, step).encode(), code.encode()):
                self._used = step
                return True
        return False
