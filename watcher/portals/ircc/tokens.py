"""Answers of the trackers' sign-in service (Amazon Cognito): tokens, refusals, challenges. Pure.

The formats are those of Cognito's public `InitiateAuth` (API reference of Amazon Cognito user pools). The signature of
a token is not verified: the token came over verified TLS from the service that issued it, and fetching the keys would
be one more request that can fail. Audience, use, issuer, and expiry are checked.
"""

import base64
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from watcher.errors import AccountLocked, CodeNeeded, PortalUnavailable, ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.http.response import Response
from watcher.messages import _, mark
from watcher.text.json import load_or_none

_CLOCK_TOLERANCE: Final = timedelta(minutes=5)
_WAIT: Final = timedelta(minutes=15)
_OK: Final = 200
_FORBIDDEN: Final = 403
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_MAX_TIMESTAMP: Final = 253402300799

DATA_SERVICE_BLOCKED: Final = mark(
    "IRCC: a firewall in front of its data service refused the request, as it often does for cloud providers and VPNs."
    " Your password is not the problem"
)
_SIGN_IN_BLOCKED: Final = mark(
    "IRCC: a firewall in front of its sign-in service refused the request, as it often does for cloud providers and"
    " VPNs. Your password is not the problem"
)

_USER_ACTIONS: Final = {
    "PasswordResetRequiredException": mark(
        'IRCC: the tracker requires a new password. Choose one with "Forgot password" on the tracker\'s website,'
        " then enter it here too."
    ),
    "UserNotConfirmedException": mark(
        "IRCC: the registration of this tracker account is not complete. Finish it on the tracker's website."
    ),
}
_CHALLENGES: Final = {
    "NEW_PASSWORD_REQUIRED": mark("a new password"),
    "SMS_MFA": mark("a code sent to your phone"),
    "EMAIL_OTP": mark("a code sent by e-mail"),
    "SMS_OTP": mark("a code sent to your phone"),
    "SOFTWARE_TOKEN_MFA": mark("a code from an authenticator app"),
    "MFA_SETUP": mark("the setup of a second factor"),
    "SELECT_MFA_TYPE": mark("a choice between second factors"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of one sign-in. The data service takes the id token."""

    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The app and the user that tokens belong to. A session of another owner is ignored."""

    client_id: str
    username: str = field(repr=False)


def dump_tokens(tokens: Tokens, owner: Owner) -> bytes:
    """Return the content of a saved session with these tokens and their owner."""
    return json.dumps(asdict(tokens) | asdict(owner)).encode()


def load_tokens(content: bytes | None, owner: Owner) -> Tokens | None:
    """Return the tokens of a saved session; None if there are none, they are damaged, or they have another owner."""
    session = load_or_none(content)
    if not isinstance(session, dict) or {name: session.get(name) for name in asdict(owner)} != asdict(owner):
        return None
    id_token, refresh_token = session.get("id_token"), session.get("refresh_token")
    if not (isinstance(id_token, str) and isinstance(refresh_token, str)):
        return None
    return Tokens(id_token=id_token, refresh_token=refresh_token)


class NotAuthorized(SignInRejected):
    """Cognito's answer to a wrong password and to an expired refresh token alike."""


def read_sign_in(answer: Response, *, refresh_token: str | None = None) -> Tokens:
    """Return the tokens in the answer to a password or to `refresh_token`, which stays valid unless replaced.

    Raises `NotAuthorized`, `SignInRejected`, `AccountLocked`, `CodeNeeded`, `PortalUnavailable`, `UnexpectedAnswer`.
    """
    if is_firewall_answer(answer):
        raise blocked_by_firewall(_SIGN_IN_BLOCKED)
    content = answer.json()
    if not isinstance(content, dict):
        raise UnexpectedAnswer(_("the answer of the sign-in service has an unknown format"))
    if answer.status != _OK:
        raise _refusal(content, answer.status)
    if content.get("ChallengeName"):
        raise _challenge(content["ChallengeName"])
    return _tokens(content.get("AuthenticationResult"), refresh_token)


def is_firewall_answer(answer: Response) -> bool:
    """Return whether a firewall answered: 403, the header of AWS WAF, or an error that is not JSON."""
    if answer.status == _FORBIDDEN or "x-amzn-waf-action" in answer.headers:
        return True
    return answer.status != _OK and answer.body.lstrip()[:1] != b"{"


def blocked_by_firewall(message: str) -> PortalUnavailable:
    """Return the error for a firewall's refusal, which depends on the network and not on the credential."""
    return PortalUnavailable(_(message))


def _refusal(content: dict[str, Any], status: int) -> ReadFailed:
    name = str(content.get("__type", "")).rpartition("#")[2].partition(":")[0]
    message = str(content.get("message", content.get("Message", ""))).lower()
    if name == "NotAuthorizedException":
        return _not_authorized(message)
    if name in ("UserNotFoundException", "UserLambdaValidationException"):
        return SignInRejected(
            _("IRCC: the tracker did not accept this UCI and password. Check both on the tracker's website.")
        )
    if name in _USER_ACTIONS:
        return CodeNeeded(_(_USER_ACTIONS[name]))
    if name == "ForbiddenException":
        return blocked_by_firewall(_SIGN_IN_BLOCKED)
    if name in ("TooManyRequestsException", "LimitExceededException", "InternalErrorException"):
        return PortalUnavailable(_("IRCC: the sign-in service asks us to wait"), retry_after=_WAIT)
    return UnexpectedAnswer(
        _(
            "the sign-in service refused the form of the request (HTTP {status}); the tracker may have changed",
            status=status,
        )
    )


def _not_authorized(message: str) -> ReadFailed:
    if "attempts exceeded" in message:
        return AccountLocked(
            _(
                "IRCC: the tracker locked the account after too many wrong passwords. It unlocks about 15 minutes after"
                ' the last attempt. If you do not know the password, use "Forgot password" on the tracker\'s website.'
            )
        )
    if "disabled" in message:
        return AccountLocked(_("IRCC: the tracker disabled this account. Only IRCC can enable it again."))
    return NotAuthorized(
        _(
            "IRCC: the tracker did not accept this UCI and password. They are not tried again until you change them or"
            " run `watcher resume ACCOUNT`. The tracker has its own password, different from your GCKey password."
        )
    )


def _challenge(name: object) -> CodeNeeded:
    known = name if isinstance(name, str) and name in _CHALLENGES else None
    step = _(_CHALLENGES[known] if known else mark("a step that this program does not know"))
    return CodeNeeded(
        _(
            "IRCC: the tracker asks for {step} after the password. Sign in on the tracker's website and complete this"
            " step.",
            step=step,
        )
    )


def _tokens(result: object, refresh_token: str | None) -> Tokens:
    if not isinstance(result, dict):
        raise UnexpectedAnswer(_("the sign-in service returned neither tokens nor a further step"))
    id_token, refresh = result.get("IdToken"), result.get("RefreshToken", refresh_token)
    if not (isinstance(id_token, str) and isinstance(refresh, str)):
        raise UnexpectedAnswer(_("the sign-in service did not send all tokens"))
    return Tokens(id_token=id_token, refresh_token=refresh)


def check_claims(id_token: str, *, client_id: str, accepts_issuer: Callable[[str], bool], now: datetime) -> datetime:
    """Check that an id token belongs to this app and tracker and is valid; return its expiry (aware, UTC).

    Raises `UnexpectedAnswer`, which names the claim but does not contain the token.
    """
    claims = _claims(id_token)
    issuer, expires = claims.get("iss"), claims.get("exp")
    if claims.get("aud") != client_id:
        raise UnexpectedAnswer(_("the token of the sign-in service is for another app (aud)"))
    if claims.get("token_use") != "id":
        raise UnexpectedAnswer(_("the token of the sign-in service is not an ID token (token_use)"))
    if not (isinstance(issuer, str) and accepts_issuer(issuer)):
        raise UnexpectedAnswer(_("the token of the sign-in service was issued by another service (iss)"))
    if isinstance(expires, bool) or not isinstance(expires, int) or not 0 < expires < _MAX_TIMESTAMP:
        raise UnexpectedAnswer(_("the token of the sign-in service has no expiry (exp)"))
    expires_at = datetime.fromtimestamp(expires, UTC)
    if expires_at + _CLOCK_TOLERANCE <= now:
        raise UnexpectedAnswer(
            _("the token of the sign-in service has already expired (exp); check this machine's clock")
        )
    return expires_at


def _claims(id_token: str) -> dict[str, Any]:
    claims = None
    if match := _TOKEN.fullmatch(id_token):
        payload = match.group(1)
        with suppress(ValueError, RecursionError):
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(claims, dict):
        raise UnexpectedAnswer(_("the token of the sign-in service is damaged"))
    return claims
