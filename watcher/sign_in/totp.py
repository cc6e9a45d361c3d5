"""One-time codes from an authenticator secret (RFC 6238), with the standard library only.

Portals issue secrets of 80 bits, which the common libraries reject. A secret is accepted as people have it: in groups
with spaces or dashes, in lower case, without padding, or as the whole `otpauth://` address of a QR code (the de facto
"Key URI Format" of authenticator apps).
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
from watcher.messages import _
from watcher.sign_in.shared_value import SharedValue

Algorithm: TypeAlias = Literal["sha1", "sha256", "sha512"]

_MIN_KEY: Final = 10
"""Bytes of the shortest secret in use (80 bits). A shorter one was cut off while copying."""
_MIN_VALIDITY: Final = 2.0
"""Seconds that a code must still be valid for. One that expires on its way causes a rejected sign-in."""
_DASHES: Final = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpSecret:
    """The content of an authenticator entry. Its `repr` does not show the key. `period` is in seconds."""

    key: bytes = field(repr=False)
    digits: int = 6
    period: int = 30
    algorithm: Algorithm = "sha1"

    def step_at(self, moment: datetime) -> int:
        """Return the number of the time step that contains `moment` (aware)."""
        return int(moment.timestamp()) // self.period

    def code_for(self, step: int) -> str:
        """Return the code of one time step, with leading zeros."""
        digest = hmac.digest(self.key, step.to_bytes(8, "big"), self.algorithm)
        offset = digest[-1] & 0x0F
        number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
        return str(number % 10**self.digits).zfill(self.digits)


def parse_totp_secret(text: str) -> TotpSecret:
    """Parse a secret as people paste it. Raises ValueError with the reason, never with the secret."""
    text = text.strip()
    if text.lower().startswith("otpauth-migration:"):
        raise ValueError(
            _(
                "this is an authenticator app's export of many accounts; use the secret key of one, which the "
                "website shows when you set up an authenticator app"
            )
        )
    if text.lower().startswith("otpauth:"):
        return _from_address(text)
    return TotpSecret(key=_key(text))


def _from_address(text: str) -> TotpSecret:
    try:
        address = urlsplit(text)
    except ValueError:
        raise ValueError(_("the otpauth:// address is not valid")) from None
    if address.netloc.lower() != "totp":
        raise ValueError(_("the otpauth:// address is not one for time-based codes (otpauth://totp/...)"))
    parameters = {name.lower(): values for name, values in parse_qs(address.query).items()}
    for name, values in parameters.items():
        if len(values) > 1:
            raise ValueError(_("the otpauth:// address gives {name!r} more than once", name=name))
    if "secret" not in parameters:
        raise ValueError(_("the otpauth:// address has no secret"))
    return TotpSecret(
        key=_key(parameters["secret"][0]),
        digits=_integer(parameters, "digits", default=6, least=6, most=10),
        period=_integer(parameters, "period", default=30, least=5, most=300),
        algorithm=_algorithm(parameters.get("algorithm", ["sha1"])[0]),
    )


def _integer(parameters: dict[str, list[str]], name: str, *, default: int, least: int, most: int) -> int:
    if name not in parameters:
        return default
    value = parameters[name][0]
    if not re.fullmatch(r"[0-9]{1,3}", value) or not least <= int(value) <= most:
        raise ValueError(
            _(
                "{name!r} in the otpauth:// address must be a whole number from {least} to {most}",
                name=name,
                least=least,
                most=most,
            )
        )
    return int(value)


def _algorithm(name: str) -> Algorithm:
    plain = name.lower().replace("-", "").removeprefix("hmac")
    for known in get_args(Algorithm):
        if plain == known:
            algorithm: Algorithm = known
            return algorithm
    raise ValueError(_("the algorithm in the otpauth:// address must be SHA1, SHA256 or SHA512"))


def _key(text: str) -> bytes:
    letters = "".join(char for char in text if not char.isspace() and char not in _DASHES).upper().rstrip("=")
    if not letters:
        raise ValueError(_("the secret is empty"))
    for position, char in enumerate(letters, start=1):
        if char not in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567":
            raise ValueError(
                _(
                    "character {position} of the secret is not valid; a secret has the letters A to Z and the digits 2 "
                    "to 7",
                    position=position,
                )
            )
    try:
        key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        raise ValueError(
            _("the secret has an impossible length; a character is missing, or there is one too many")
        ) from None
    if len(key) < _MIN_KEY:
        raise ValueError(
            _(
                "the secret is too short ({count} characters instead of at least 16); it may be incomplete",
                count=len(letters),
            )
        )
    return key


class UsedSteps(Protocol):
    """The time steps whose code was used, by any process; survives a restart."""

    def used(self) -> frozenset[int]:
        """Return the most recently used steps."""
        ...

    def claim(self, step: int) -> bool:
        """Record a step as used. Return False if it is used already, perhaps by another process."""
        ...


class StoredUsedSteps:
    """`UsedSteps` in a stored value. Keeps the last ten, so that no code repeats if the clock is set back."""

    _KEPT: Final = 10

    def __init__(self, value: SharedValue) -> None:
        """`value` must belong to the login, and must not be its session."""
        self._value = value

    def used(self) -> frozenset[int]:
        """Return the most recently used steps; anything else in the value is ignored."""
        return frozenset(_steps_in(self._value.load()))

    def claim(self, step: int) -> bool:
        """Record a used step and drop the oldest; see `UsedSteps.claim`. Raises `StoreUnusable`."""
        is_unused: list[bool] = []

        def add(content: bytes | None) -> bytes:
            steps = _steps_in(content)
            is_unused.append(step not in steps)
            kept = [*steps, step][-self._KEPT :] if is_unused[-1] else steps
            return " ".join(map(str, kept)).encode()

        self._value.update(add)
        return is_unused[-1]


def _steps_in(content: bytes | None) -> list[int]:
    return [int(word) for word in (content or b"").split() if word.isdigit()]


def wall_time() -> datetime:
    """Return the machine's time, aware, UTC. Codes depend on it even if the demo's clock runs faster."""
    return datetime.now(UTC)


class TotpCodes:
    """A `CodeSource` that computes codes. No code is returned twice, not even after a restart."""

    def __init__(
        self,
        secret: TotpSecret,
        *,
        used: UsedSteps,
        wait: Callable[[float], bool],
        now: Callable[[], datetime] = wall_time,
    ) -> None:
        """`wait` waits some seconds and returns whether the daemon is stopping (`Event.wait`)."""
        self._secret, self._used, self._wait, self._now = secret, used, wait, now

    def code(self, *, asked_at: datetime) -> str:  # noqa: ARG002 - a computed code depends on the time, not on the request
        """Return the code of the first unused step, waiting up to two periods for it.

        The step is recorded as used before its code is returned. Raises `PortalUnavailable` if the daemon stops.
        """
        while True:
            step = self._first_unused()
            while (seconds := step * self._secret.period - self._now().timestamp()) > 0:
                if self._wait(seconds):
                    raise PortalUnavailable(
                        _("The program is stopping, so the sign-in was ended before the one-time code.")
                    )
            if self._used.claim(step):
                return self._secret.code_for(step)

    def _first_unused(self) -> int:
        moment, used = self._now(), self._used.used()
        step = self._secret.step_at(moment)
        if (step + 1) * self._secret.period - moment.timestamp() < _MIN_VALIDITY:
            step += 1
        while step in used:
            step += 1
        return step
