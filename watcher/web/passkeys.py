"""Passkeys (WebAuthn): what a browser is asked for, and to which question its answer is.

What it is asked for are dictionaries of the standard (https://www.w3.org/TR/webauthn-3/). `watcher.web.passkey_proofs`
finds what its answer proves.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from watcher.model.web import Passkey
from watcher.settings import WebSettings
from watcher.web.challenges import VALID_SECONDS, Challenges
from watcher.web.origin import Origin, is_address, origin_of

_NAME = "case-watcher"
_SIGN_IN = "sign in"
_ALGORITHMS = (-8, -7, -257)  # EdDSA, ES256, RS256 in the COSE registry: what the library accepts


class PasskeyRefused(Exception):
    """What a browser sent does not prove that it has the passkey."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAnswer:
    """What a browser has sent, as JSON that was parsed, to a challenge of ours that was not answered before."""

    credential: dict[str, Any]
    challenge: bytes
    party: RelyingParty


class Passkeys:
    """Asks for passkeys and takes the answers. Safe to share between threads."""

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

    def answer_to_add(self, party: RelyingParty | None, sent: bytes, *, device: int) -> PasskeyAnswer:
        """Return what a browser has sent to add a passkey. Raises `PasskeyRefused`."""
        return self._answer(party, sent, _purpose(device))

    def answer_to_sign_in(self, party: RelyingParty | None, sent: bytes) -> PasskeyAnswer:
        """Return what a browser has sent to sign in. Raises `PasskeyRefused`."""
        return self._answer(party, sent, _SIGN_IN)

    def _answer(self, party: RelyingParty | None, sent: bytes, purpose: str) -> PasskeyAnswer:
        try:
            credential = json.loads(sent)
            challenge = decoded(json.loads(decoded(credential["response"]["clientDataJSON"]))["challenge"])
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise PasskeyRefused from error
        if party is None or not self._challenges.use(challenge, purpose):
            raise PasskeyRefused
        return PasskeyAnswer(credential=credential, challenge=challenge, party=party)


def credential_id(answer: PasskeyAnswer) -> bytes:
    """Return the id of the passkey that an answer names; empty if it names none."""
    try:
        return decoded(answer.credential["id"])
    except (ValueError, TypeError, LookupError, AttributeError):
        return b""


def _purpose(device: int) -> str:
    return f"add to {device}"


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes in base64url without padding, as browsers write them. Raises ValueError or TypeError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
