"""Check time-based one-time codes (RFC 6238: SHA-1, six digits, thirty seconds); no code is accepted twice.

This is the portal's side, written independently of `watcher.sign_in.totp`, so that each verifies the other.
"""

import base64
import hmac
import struct

STEP_SECONDS = 30
_DRIFT_STEPS = 1


def code_at(secret: str, step: int) -> str:
    """Return the code of a time step (Unix time divided by thirty seconds) for a base32 secret, padded or not."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.digest(key, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


class CodeChecker:
    """Checks codes against one secret. After a code was used, it and all older codes are rejected."""

    def __init__(self, secret: str) -> None:
        """Use a base32 secret of any length."""
        self._secret, self._used = secret, -1

    def accept(self, code: str, unix_time: float) -> bool:
        """Return whether the code is valid at this Unix time, allowing one step of drift, and mark it as used."""
        now = int(unix_time) // STEP_SECONDS
        for step in range(max(now - _DRIFT_STEPS, self._used + 1, 0), now + _DRIFT_STEPS + 1):
            if hmac.compare_digest(code_at(self._secret, step).encode(), code.encode()):
                self._used = step
                return True
        return False
