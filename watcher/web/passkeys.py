"""Passkeys (WebAuthn): what a browser is asked for, and what its answer proves.

The library only checks answers, and is imported for that alone: it takes more memory than the rest of the page. What a
browser is asked for are dictionaries of the standard (https://www.w3.org/TR/webauthn-3/).
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from watcher.model.web import Passkey
from watcher.settings import WebSettings
from watcher.web.challenges import VALID_SECONDS, Challenges
from watcher.web.origin import Origin, is_address, origin_of

_NAME = "case-watcher"
_SIGN_IN = "sign in"
_ALGORITHMS = (-8, -7, -257)  # EdDSA, ES256, RS256 in the COSE registry: what the library accepts
_MAX_ID = 1023  # by the standard
_T = TypeVar("_T")


class PasskeyRefused(Exception):
    """What a browser sent does not prove that it has the passkey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """A passkey that a browser has made."""

    credential: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """The name that passkeys belong to, and the origin of the page at which they can be used."""

    id: str
    origin: str

    @classmethod
    def of(cls, settings: WebSettings, origin: Origin) -> "RelyingParty | None":
        """Return that of `[web] url`, else of this machine; None where browsers have none: without HTTPS or a name."""
        name = urlsplit(str(origin)).hostname or ""
        is_safe = name == "localhost" or (origin.scheme == "https" and not is_address(name))
        if not is_safe or origin_of(settings.url) not in {None, origin}:
            return None
        return cls(id=name, origin=str(origin))


class Passkeys:
    """Asks for passkeys and checks the answers. Safe to share between threads."""

    def __init__(self, challenges: Challenges) -> None:
        """Use these challenges."""
        self._challenges = challenges

    def options_to_add(
        self, party: RelyingParty, *, device: int, user: str, known: Iterable[Passkey]
    ) -> dict[str, Any]:
        """Return what a browser needs to make a passkey; it makes none where it has one of the known."""
        return {
            "rp": {"id": party.id, "name": _NAME},
            # A user of its own for each passkey: an authenticator keeps only the newest one of a user.
            "user": {"id": _encoded(secrets.token_bytes(32)), "name": user, "displayName": user},
            "challenge": _encoded(self._challenges.new(_purpose(device))),
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in _ALGORITHMS],
            "timeout": VALID_SECONDS * 1000,
            "excludeCredentials": [{"type": "public-key", "id": _encoded(passkey.credential)} for passkey in known],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
        }

    def options_to_sign_in(self, party: RelyingParty) -> dict[str, Any]:
        """Return what a browser needs to sign in with a passkey of its user's choice."""
        return {
            "rpId": party.id,
            "challenge": _encoded(self._challenges.new(_SIGN_IN)),
            "timeout": VALID_SECONDS * 1000,
            "userVerification": "required",
        }

    def added(self, party: RelyingParty | None, answer: bytes, *, device: int) -> NewPasskey:
        """Return the passkey that a browser has made, by its answer as JSON. Raises `PasskeyRefused`."""
        challenge, credential = self._challenge(answer, _purpose(device))
        if party is None:
            raise PasskeyRefused
        from webauthn import verify_registration_response  # noqa: PLC0415 - see above

        verified = _checked(
            lambda: verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        )
        if len(verified.credential_id) > _MAX_ID or not self._challenges.use(challenge):
            raise PasskeyRefused
        return NewPasskey(
            credential=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
        )

    def used(
        self, party: RelyingParty | None, answer: bytes, find: Callable[[bytes], Passkey | None]
    ) -> tuple[Passkey, int]:
        """Return the passkey that a browser has used, and its new count, by its answer as JSON.

        `find` returns the passkey with an id. Raises `PasskeyRefused`.
        """
        challenge, credential = self._challenge(answer, _SIGN_IN)
        passkey = find(_checked(lambda: _decoded(credential["id"])))
        if party is None or passkey is None:
            raise PasskeyRefused
        from webauthn import verify_authentication_response  # noqa: PLC0415 - see above

        verified = _checked(
            lambda: verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        )
        if not self._challenges.use(challenge):
            raise PasskeyRefused
        return passkey, verified.new_sign_count

    def _challenge(self, answer: bytes, purpose: str) -> tuple[bytes, dict[str, Any]]:
        """Return the challenge that an answer is to, and the answer. Raises `PasskeyRefused` if it is not ours."""
        credential = _checked(lambda: json.loads(answer))
        challenge = _checked(
            lambda: _decoded(json.loads(_decoded(credential["response"]["clientDataJSON"]))["challenge"])
        )
        if not isinstance(credential, dict) or not self._challenges.is_new(challenge, purpose):
            raise PasskeyRefused
        return challenge, credential


def _checked(check: Callable[[], _T]) -> _T:
    """Return what a check of untrusted data returns. Raises `PasskeyRefused` if it raises."""
    try:
        return check()
    except Exception as error:
        raise PasskeyRefused from error


def _purpose(device: int) -> str:
    return f"add to {device}"


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
