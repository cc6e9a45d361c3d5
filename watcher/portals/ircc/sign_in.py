"""Sign-in to a tracker with the saved token, else the refresh token, else the password."""

from datetime import datetime, timedelta
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.http.response import Response
from watcher.portal import PortalContext
from watcher.portals.ircc.account import AUTH_URL, IrccAccount
from watcher.portals.ircc.tokens import (
    NotAuthorized,
    Owner,
    Tokens,
    check_claims,
    dump_tokens,
    load_tokens,
    read_sign_in,
)
from watcher.privacy.redaction import register_session_value

_RENEW_BEFORE: Final = timedelta(minutes=10)


class SignIn:
    """A source of id tokens that submits the password only if nothing else works."""

    def __init__(self, account: IrccAccount, context: PortalContext, http: PortalHttp) -> None:
        self._account, self._context, self._http = account, context, http
        self._url = f"{(account.auth_url or AUTH_URL).rstrip('/')}/"
        self._owner = Owner(client_id=account.client_id or account.tracker.client_id, username=account.username)

    def id_token(self) -> str:
        """Return a token that is valid for at least ten more minutes. Raises like `renew_id_token`."""
        saved = self._saved_tokens()
        if saved is not None and self._is_valid_long_enough(saved):
            return saved.id_token
        return self.renew_id_token()

    def renew_id_token(self) -> str:
        """Return a new token, from the refresh token if that is accepted, else from the password.

        Raises the errors of `read_sign_in`, `SignInGuard.before_submission`, and `PortalHttp.send`.
        """
        saved = self._saved_tokens()
        tokens = None if saved is None else self._refresh(saved)
        return (tokens or self._submit_password()).id_token

    def _saved_tokens(self) -> Tokens | None:
        """Return the saved tokens, and have them blanked in logs and traces."""
        saved = load_tokens(self._context.session.load(), self._owner)
        if saved is not None:
            register_session_value(saved.id_token)
            register_session_value(saved.refresh_token)
        return saved

    def _refresh(self, saved: Tokens) -> Tokens | None:
        answer = self._ask("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": saved.refresh_token})
        try:
            tokens = read_sign_in(answer, refresh_token=saved.refresh_token)
        except NotAuthorized:
            self._context.session.delete()
            return None
        self._save(tokens)
        return tokens

    def _submit_password(self) -> Tokens:
        password = self._account.password.get_secret_value()
        self._context.sign_in_guard.before_submission()
        answer = self._ask("USER_PASSWORD_AUTH", {"USERNAME": self._account.username, "PASSWORD": password})
        tokens = read_sign_in(answer)
        self._save(tokens)
        self._context.sign_in_guard.accepted()
        return tokens

    def _ask(self, flow: str, parameters: dict[str, str]) -> Response:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        }
        body = {
            "AuthFlow": flow,
            "ClientId": self._owner.client_id,
            "AuthParameters": parameters,
            "ClientMetadata": {},
        }
        return self._http.send("POST", self._url, headers=headers, json=body, follow=False)

    def _save(self, tokens: Tokens) -> None:
        self._expiry(tokens)
        self._context.session.save(dump_tokens(tokens, self._owner))

    def _is_valid_long_enough(self, tokens: Tokens) -> bool:
        try:
            return self._expiry(tokens) - _RENEW_BEFORE > self._context.clock.now()
        except UnexpectedAnswer:  # an expired token is normal; the refresh token may still be valid
            return False

    def _expiry(self, tokens: Tokens) -> datetime:
        client_id = self._owner.client_id
        return check_claims(
            tokens.id_token,
            client_id=client_id,
            accepts_issuer=lambda issuer: self._account.tracker.accepts_issuer(issuer, client_id=client_id),
            now=self._context.clock.now(),
        )
