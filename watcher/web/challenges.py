"""Challenges for passkeys: random, valid for minutes, used once, and not stored until then. Thread-safe."""

import hmac
import secrets
from collections.abc import Callable
from threading import Lock

VALID_SECONDS = 600
_RANDOM, _TIME, _MAC = 24, 8, 32


class Challenges:
    """Makes challenges and recognizes them. `monotonic` returns seconds that never go back."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Recognize the challenges of this object only."""
        self._monotonic, self._key = monotonic, secrets.token_bytes(32)
        self._used: dict[bytes, float] = {}
        self._lock = Lock()

    def new(self, purpose: str) -> bytes:
        """Return a challenge for one purpose."""
        content = secrets.token_bytes(_RANDOM) + int(self._monotonic()).to_bytes(_TIME, "big")
        return content + self._mac(purpose, content)

    def use(self, challenge: bytes, purpose: str) -> bool:
        """Use up a challenge; return whether it was made for this purpose, has not expired, and was not used."""
        content, mac = challenge[:-_MAC], challenge[-_MAC:]
        if len(content) != _RANDOM + _TIME or not hmac.compare_digest(mac, self._mac(purpose, content)):
            return False
        now = self._monotonic()
        with self._lock:
            self._used = {used: at for used, at in self._used.items() if now - at < VALID_SECONDS}
            if challenge in self._used or now - int.from_bytes(content[_RANDOM:], "big") >= VALID_SECONDS:
                return False
            self._used[challenge] = now
            return True

    def _mac(self, purpose: str, content: bytes) -> bytes:
        return hmac.digest(self._key, purpose.encode() + b"\0" + content, "sha256")
