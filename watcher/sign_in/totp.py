"""One-time codes from an authenticator secret (RFC 6238), by the standard library alone.

Portals hand out secrets of 80 bits, which the common libraries refuse, so nothing is borrowed here. A secret is read
the way people have it: in groups with spaces or dashes, in lower case, without padding, or as the whole `otpauth://`
address out of a QR code (the de facto "Key URI Format" of the authenticator apps).
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, Protocol, TypeAlias, get_args
from urllib.parse import parse_qs, urlsplit

from watcher.errors import PortalUnavailable

Algorithm: TypeAlias = Literal["sha1", "sha256", "sha512"]

_SHORTEST: Final = 10
"""Bytes of the shortest secret seen in the wild (80 bits); anything shorter was cut off while copying."""
_FRESH_FOR: Final = 2.0
"""Seconds that a code must still be valid for: one that dies on its way costs a rejected sign-in."""
_DASHES: Final = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpSecret:
    """What an authenticator app would hold. Its `repr` does not show the key. `period` is in seconds."""

    key: bytes = field(repr=False)
    digits: int = 6
    period: int = 30
    algorithm: Algorithm = "sha1"

    def step_at(self, moment: datetime) -> int:
        """The number of the time step that holds `moment` (aware)."""
        return int(moment.timestamp()) // self.period

    def code_for(self, step: int) -> str:
        """The code of one time step, with its leading zeros."""
        digest = hmac.digest(self.key, step.to_bytes(8, "big"), self.algorithm)
        offset = digest[-1] & 0x0F
        number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
        return str(number % 10**self.digits).zfill(self.digits)


def parse_totp_secret(text: str) -> TotpSecret:
    """Reads a secret as people paste it. Raises ValueError that says what is wrong and never shows the secret."""
    text = text.strip()
    if text.lower().startswith("otpauth-migration:"):
        raise ValueError(
            "this is an authenticator app's export of many accounts; wanted is the secret of one, "
            "as the portal shows it when an authenticator app is set up"
        )
    if text.lower().startswith("otpauth:"):
        return _from_address(text)
    return TotpSecret(key=_key(text))


def _from_address(text: str) -> TotpSecret:
    try:
        address = urlsplit(text)
    except ValueError:
        raise ValueError("the otpauth:// address cannot be read") from None
    if address.netloc.lower() != "totp":
        raise ValueError("the otpauth:// address is not one for time-based codes (otpauth://totp/...)")
    given = {name.lower(): values for name, values in parse_qs(address.query).items()}
    for name, values in given.items():
        if len(values) > 1:
            raise ValueError(f"the otpauth:// address gives {name!r} more than once")
    if "secret" not in given:
        raise ValueError("the otpauth:// address holds no secret")
    return TotpSecret(
        key=_key(given["secret"][0]),
        digits=_whole(given, "digits", default=6, least=6, most=10),
        period=_whole(given, "period", default=30, least=5, most=300),
        algorithm=_algorithm(given.get("algorithm", ["sha1"])[0]),
    )


def _whole(given: dict[str, list[str]], name: str, *, default: int, least: int, most: int) -> int:
    if name not in given:
        return default
    value = given[name][0]
    if not re.fullmatch(r"[0-9]{1,3}", value) or not least <= int(value) <= most:
        raise ValueError(f"{name!r} in the otpauth:// address must be a whole number from {least} to {most}")
    return int(value)


def _algorithm(name: str) -> Algorithm:
    plain = name.lower().replace("-", "").removeprefix("hmac")
    for known in get_args(Algorithm):
        if plain == known:
            algorithm: Algorithm = known
            return algorithm
    raise ValueError("the algorithm in the otpauth:// address must be SHA1, SHA256 or SHA512")


def _key(text: str) -> bytes:
    letters = "".join(sign for sign in text if not sign.isspace() and sign not in _DASHES).upper().rstrip("=")
    if not letters:
        raise ValueError("the secret is empty")
    for place, sign in enumerate(letters, start=1):
        if sign not in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567":
            raise ValueError(
                f"character {place} of the secret is none that a secret has (the letters A to Z, the digits 2 to 7)"
            )
    try:
        key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        raise ValueError("the secret has a length that none can have; a character is missing or too many") from None
    if len(key) < _SHORTEST:
        raise ValueError(f"the secret is too short: {len(letters)} characters, at least 16 are wanted; was it cut off?")
    return key


class UsedSteps(Protocol):
    """Which time steps have had their code used; outlives the process."""

    def used(self) -> frozenset[int]:
        """The steps used last."""
        ...

    def add(self, step: int) -> None:
        """Writes one more down."""
        ...


class SessionFile(Protocol):
    """A small file; `watcher.sign_in.session_files.SessionFile` is one."""

    def load(self) -> bytes | None:
        """What was last saved, or None."""
        ...

    def save(self, content: bytes) -> None:
        """Replaces it whole."""
        ...


class StoredUsedSteps:
    """`UsedSteps` in a small file. Remembers the last ten, so that a clock set back repeats no code either."""

    _REMEMBERED: Final = 10

    def __init__(self, keep: SessionFile) -> None:
        """`keep` must be this account's own, and not the file of its session."""
        self._keep = keep

    def used(self) -> frozenset[int]:
        """The steps used last; a file that holds anything else counts as none."""
        return frozenset(self._steps())

    def add(self, step: int) -> None:
        """Writes one more down; the oldest is forgotten."""
        steps = [*self._steps(), step][-self._REMEMBERED :]
        self._keep.save(" ".join(map(str, steps)).encode())

    def _steps(self) -> list[int]:
        words = (self._keep.load() or b"").split()
        return [int(word) for word in words if word.isdigit()]


def wall_time() -> datetime:
    """The machine's time, aware, UTC. Codes are counted by it even where a demo's own clock runs faster."""
    return datetime.now(UTC)


class TotpCodes:
    """A `CodeSource` that computes codes. No code is handed out twice, not even after a restart."""

    def __init__(
        self,
        secret: TotpSecret,
        *,
        used: UsedSteps,
        wait: Callable[[float], bool],
        now: Callable[[], datetime] = wall_time,
    ) -> None:
        """`wait` waits some seconds and says whether the daemon is to end: `Event.wait` of its `stop`."""
        self._secret, self._used, self._wait, self._now = secret, used, wait, now

    def code(self, *, asked_at: datetime) -> str:  # noqa: ARG002 - a computed code belongs to now, not to a request
        """The code of the first step that is free, waiting up to two periods for it.

        It is written down as used before it is handed out. Raises `PortalUnavailable` where the daemon ends meanwhile.
        """
        step = self._first_free()
        while (seconds := step * self._secret.period - self._now().timestamp()) > 0:
            if self._wait(seconds):
                raise PortalUnavailable("The program is ending; the sign-in was left before its one-time code.")
        self._used.add(step)
        return self._secret.code_for(step)

    def _first_free(self) -> int:
        moment, used = self._now(), self._used.used()
        step = self._secret.step_at(moment)
        if (step + 1) * self._secret.period - moment.timestamp() < _FRESH_FOR:
            step += 1
        while step in used:
            step += 1
        return step
