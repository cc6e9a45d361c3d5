"""The access token of the USCIS API: asked for once, used until a minute before its end, kept in the session file."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock
from typing import Any

from watcher.clock.timestamps import iso_text, parse_utc
from watcher.errors import ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.http.answer import Response
from watcher.http.client import PortalHttp
from watcher.portal import PortalContext
from watcher.text.json import read_json

_USABLE = re.compile(r"[\x21-\x7e]{8,8192}")
_EARLY = timedelta(minutes=1)
_UNSAID_LIFETIME = timedelta(minutes=10)
_LONGEST_LIFETIME = timedelta(days=1)
_REFUSALS = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """What the token endpoint takes."""

    token_url: str
    client_id: str
    client_secret: str

    def mark(self, token: str) -> str:
        """Ties a token to the credential it was given for. Keyed with the token itself, so it tells nothing alone."""
        text = f"{self.token_url}\0{self.client_id}\0{self.client_secret}"
        return blake2b(text.encode(), key=token.encode()[:64], digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: str
    renew_at: datetime


class TokenProvider:
    """Hands out the current token to every thread of a read; only one of them ever fetches a new one."""

    def __init__(self, credentials: ClientCredentials, http: PortalHttp, surroundings: PortalContext) -> None:
        self._credentials, self._http, self._around = credentials, http, surroundings
        self._lock = Lock()
        self._token = self._saved()
        self._renewed_after_refusal = False
        self._failure: ReadFailed | None = None

    def token(self) -> str:
        """A token with a minute to go at least.

        Raises `SignInRejected` where the client credential is refused, `PortalUnavailable`, or `UnexpectedAnswer`.
        """
        current = self._token
        if current is not None and self._around.clock.now() < current.renew_at:
            return current.value
        with self._lock:
            if self._token is None or self._around.clock.now() >= self._token.renew_at:
                self._token = self._fetch()
            return self._token.value

    def after_refusal(self, refused: str) -> str:
        """Another token than the one the API has just refused, once in a read.

        Raises `UnexpectedAnswer` where the API refuses a token that was new, and what `token` raises.
        """
        with self._lock:
            if self._token is not None and self._token.value != refused:
                return self._token.value
            if self._renewed_after_refusal:
                self._around.session.forget()
                raise UnexpectedAnswer(
                    "the API refused a token that it had just issued (HTTP 401); if this stays, see at "
                    "developer.uscis.gov whether the app is approved for the Case Status API"
                )
            self._renewed_after_refusal = True
            self._token = self._fetch()
            return self._token.value

    def _fetch(self) -> _Token:
        """Submits the credential. What came of it once holds for the rest of the read: no thread tries it again."""
        if self._failure is not None:
            raise self._failure
        try:
            return self._submit()
        except ReadFailed as error:
            self._failure = error
            raise

    def _submit(self) -> _Token:
        self._around.sign_in_guard.before_submission(counts=False)
        answer = self._http.send(
            "POST",
            self._credentials.token_url,
            headers={"Accept": "application/json"},
            form={
                "grant_type": "client_credentials",
                "client_id": self._credentials.client_id,
                "client_secret": self._credentials.client_secret,
            },
        )
        _check_granted(answer)
        value, lifetime = _grant(answer.body)
        self._around.sign_in_guard.accepted()
        renew_at = self._around.clock.now() + max(lifetime - _EARLY, lifetime / 2)
        self._save(value, renew_at)
        return _Token(value=value, renew_at=renew_at)

    def _save(self, value: str, renew_at: datetime) -> None:
        kept = {"token": value, "renew_at": iso_text(renew_at), "for": self._credentials.mark(value)}
        self._around.session.save(json.dumps(kept).encode())

    def _saved(self) -> _Token | None:
        """The token of an earlier read, where it is for this credential and still good; anything odd is none."""
        content = self._around.session.load()
        if content is None:
            return None
        try:
            kept = json.loads(content)
            token = _Token(value=str(kept["token"]), renew_at=parse_utc(kept["renew_at"]))
            ours = kept["for"] == self._credentials.mark(token.value)
            left = token.renew_at - self._around.clock.now()
        except (ValueError, KeyError, TypeError):
            return None
        return token if ours and timedelta(0) < left <= _LONGEST_LIFETIME else None


def _check_granted(answer: Response) -> None:
    if answer.status == 200:  # noqa: PLR2004
        return
    if answer.status == 401 or (answer.status == 400 and _names_refusal(answer.body)):  # noqa: PLR2004
        raise SignInRejected(
            "USCIS refused the client id and secret; compare them with the app's page at developer.uscis.gov "
            "(keys end after about a year), then correct them or say `watcher resume`"
        )
    raise UnexpectedAnswer(f"the token endpoint answered in an unknown way (HTTP {answer.status}); check token_url")


def _names_refusal(body: bytes) -> bool:
    """RFC 6749, 5.2 writes `error`; Apigee, the gateway, also `ErrorCode`."""
    try:
        said = read_json(body)
    except UnexpectedAnswer:
        return False
    return isinstance(said, dict) and any(
        isinstance(code, str) and code.strip().lower() in _REFUSALS
        for code in (said.get("error"), said.get("ErrorCode"))
    )


def _grant(body: bytes) -> tuple[str, timedelta]:
    said = read_json(body)
    value = said.get("access_token") if isinstance(said, dict) else None
    if not isinstance(value, str) or not _USABLE.fullmatch(value):
        raise UnexpectedAnswer("the token endpoint answered without a token")
    return value, _lifetime(said.get("expires_in"))


def _lifetime(said: Any) -> timedelta:
    """Seconds, seen as text and as a number."""
    text = str(said).strip()
    seconds = int(text[:9]) if text.isascii() and text.isdigit() else 0
    return min(timedelta(seconds=seconds), _LONGEST_LIFETIME) if seconds else _UNSAID_LIFETIME
