"""What the answer of a passkey proves, by the library for WebAuthn, which takes more memory than the page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from webauthn import verify_authentication_response, verify_registration_response

from watcher.model.web import Passkey
from watcher.web.passkeys import PasskeyAnswer, PasskeyRefused

_MAX_ID = 1023  # bytes, by the standard
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """A passkey that a browser has made."""

    credential: bytes
    public_key: bytes
    sign_count: int


def proof_of_new(answer: PasskeyAnswer) -> NewPasskey:
    """Return the passkey that a browser has made. Raises `PasskeyRefused`."""
    verified = _checked(
        lambda: verify_registration_response(
            credential=answer.credential,
            expected_challenge=answer.challenge,
            expected_rp_id=answer.party.id,
            expected_origin=answer.party.origin,
            require_user_verification=True,
        )
    )
    if len(verified.credential_id) > _MAX_ID:
        raise PasskeyRefused
    return NewPasskey(
        credential=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
    )


def proof_of_use(answer: PasskeyAnswer, passkey: Passkey) -> int:
    """Return how often a passkey was used, as it counts itself. Raises `PasskeyRefused` if it was not used."""
    return _checked(
        lambda: verify_authentication_response(
            credential=answer.credential,
            expected_challenge=answer.challenge,
            expected_rp_id=answer.party.id,
            expected_origin=answer.party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    ).new_sign_count


def _checked(check: Callable[[], _T]) -> _T:
    """Return what a check of untrusted data returns. Raises `PasskeyRefused` if it raises anything."""
    try:
        return check()
    except Exception as error:
        raise PasskeyRefused from error
