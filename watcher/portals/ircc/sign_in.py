"""Signing in to a tracker: the kept token, the refresh token, and only then the password."""

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

_RENEW_BEFORE: Final = timedelta(minutes=10)


class SignIn:
    """The way to an id token that costs least: the kept one, the refresh token, the password."""

    def __init__(self, account: IrccAccount, around: PortalContext, http: PortalHttp) -> None:
        self._account, self._around, self._http = account, around, http
        self._url = f"{(account.auth_url or AUTH_URL).rstrip('/')}/"
        self._owner = Owner(client_id=account.client_id or account.tracker.client_id, username=account.username)

    def id_token(self) -> str:
        """A token that is still good for a while."""
        kept = load_tokens(self._around.session.load(), self._owner)
        if kept is not None and self._good_for_a_while(kept):
            return kept.id_token
        return self.renew_id_token()

    def renew_id_token(self) -> str:
        """A new token, from the refresh token while that is accepted, else from the password."""
        kept = load_tokens(self._around.session.load(), self._owner)
        tokens = None if kept is None else self._refreshed(kept)
        return (tokens or self._by_password()).id_token

    def _refreshed(self, kept: Tokens) -> Tokens | None:
        answer = self._ask("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": kept.refresh_token})
        try:
            tokens = read_sign_in(answer, refresh_token=kept.refresh_token)
        except NotAuthorized:
            self._around.session.delete()
            return None
        self._keep(tokens)
        return tokens

    def _by_password(self) -> Tokens:
        password = self._account.password.get_secret_value()
        self._around.sign_in_guard.before_submission()
        answer = self._ask("USER_PASSWORD_AUTH", {"USERNAME": self._account.username, "PASSWORD": password})
        tokens = read_sign_in(answer)
        self._keep(tokens)
        self._around.sign_in_guard.accepted()
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

    def _keep(self, tokens: Tokens) -> None:
        self._until(tokens)
        self._around.session.save(dump_tokens(tokens, self._owner))

    def _good_for_a_while(self, tokens: Tokens) -> bool:
        try:
            return self._until(tokens) - _RENEW_BEFORE > self._around.clock.now()
        except UnexpectedAnswer:  # one that is no longer good is no news; the refresh token may still be
            return False

    def _until(self, tokens: Tokens) -> datetime:
        client_id = self._owner.client_id
        return check_claims(
            tokens.id_token,
            client_id=client_id,
            accepts_issuer=lambda issuer: self._account.tracker.accepts_issuer(issuer, client_id=client_id),
            now=self._around.clock.now(),
        )
