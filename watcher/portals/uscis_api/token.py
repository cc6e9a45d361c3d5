"""The access token of the USCIS API: used until a minute before it expires, and saved in the saved session."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock
from typing import Any

from watcher.clock.timestamps import iso_text, parse_utc
from watcher.errors import ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.http.client import PortalHttp
from watcher.http.response import Response
from watcher.messages import _
from watcher.portal import PortalContext
from watcher.text.json import load_or_none, read_json

_TOKEN = re.compile(r"[\x21-\x7e]{8,8192}")
_RENEWAL_MARGIN = timedelta(minutes=1)
_DEFAULT_LIFETIME = timedelta(minutes=10)
_MAX_LIFETIME = timedelta(days=1)
_REJECTIONS = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """The parameters of a token request."""

    token_url: str
    client_id: str
    client_secret: str

    def fingerprint(self, token: str) -> str:
        """Return a hash that ties a token to its credential. Keyed with the token, so it reveals nothing alone."""
        text = f"{self.token_url}\0{self.client_id}\0{self.client_secret}"
        return blake2b(text.encode(), key=token.encode()[:64], digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: str
    renew_at: datetime


class TokenProvider:
    """Supplies the current token to every thread of a check. Only one thread requests a new one."""

    def __init__(self, credentials: ClientCredentials, http: PortalHttp, context: PortalContext) -> None:
        self._credentials, self._http, self._context = credentials, http, context
        self._lock = Lock()
        self._token = self._load()
        self._replaced = False
        self._failure: ReadFailed | None = None

    def token(self) -> str:
        """Return a token that is valid for another minute at least.

        Raises `SignInRejected` if the client credential is rejected, `PortalUnavailable`, or `UnexpectedAnswer`.
        """
        current = self._token
        if current is not None and self._context.clock.now() < current.renew_at:
            return current.value
        with self._lock:
            if self._token is None or self._context.clock.now() >= self._token.renew_at:
                self._token = self._request()
            return self._token.value

    def replace_rejected(self, rejected: str) -> str:
        """Return another token than the one that the API has just rejected. Requests a new one once per check.

        Raises `UnexpectedAnswer` if the API rejects a new token, and the errors of `token`.
        """
        with self._lock:
            if self._token is not None and self._token.value != rejected:
                return self._token.value
            if self._replaced:
                self._context.session.delete()
                raise UnexpectedAnswer(
                    _(
                        "the API refused a token that it had just issued (HTTP 401). If this continues, check at "
                        "developer.uscis.gov whether your app is approved for the Case Status API"
                    )
                )
            self._replaced = True
            self._token = self._request()
            return self._token.value

    def _request(self) -> _Token:
        """Submit the credential. A failure is final for this check, so that no thread submits it again."""
        if self._failure is not None:
            raise self._failure
        try:
            return self._submit()
        except ReadFailed as error:
            self._failure = error
            raise

    def _submit(self) -> _Token:
        self._context.sign_in_guard.before_submission(counts=False)
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
        self._context.sign_in_guard.accepted()
        renew_at = self._context.clock.now() + max(lifetime - _RENEWAL_MARGIN, lifetime / 2)
        self._save(value, renew_at)
        return _Token(value=value, renew_at=renew_at)

    def _save(self, value: str, renew_at: datetime) -> None:
        saved = {"token": value, "renew_at": iso_text(renew_at), "for": self._credentials.fingerprint(value)}
        self._context.session.save(json.dumps(saved).encode())

    def _load(self) -> _Token | None:
        """Return the saved token if it is valid and belongs to this credential. A damaged one has none."""
        content = self._context.session.load()
        if content is None:
            return None
        try:
            saved = load_or_none(content)
            token = _Token(value=str(saved["token"]), renew_at=parse_utc(saved["renew_at"]))
            is_ours = saved["for"] == self._credentials.fingerprint(token.value)
            remaining = token.renew_at - self._context.clock.now()
        except (ValueError, KeyError, TypeError):
            return None
        return token if is_ours and timedelta(0) < remaining <= _MAX_LIFETIME else None


def _check_granted(answer: Response) -> None:
    if answer.status == 200:  # noqa: PLR2004
        return
    if answer.status == 401 or (answer.status == 400 and _is_rejection(answer.body)):  # noqa: PLR2004
        raise SignInRejected(
            _(
                "USCIS refused the client ID and secret. Compare them with your app's page at "
                "developer.uscis.gov (keys expire after about a year), then correct them or run "
                "`watcher resume ACCOUNT`"
            )
        )
    raise UnexpectedAnswer(
        _("the token endpoint returned an unexpected answer (HTTP {status}). Check token_url", status=answer.status)
    )


def _is_rejection(body: bytes) -> bool:
    """Check `error` (RFC 6749, 5.2) and `ErrorCode`, which the gateway Apigee sends."""
    try:
        content = read_json(body)
    except UnexpectedAnswer:
        return False
    return isinstance(content, dict) and any(
        isinstance(code, str) and code.strip().lower() in _REJECTIONS
        for code in (content.get("error"), content.get("ErrorCode"))
    )


def _grant(body: bytes) -> tuple[str, timedelta]:
    content = read_json(body)
    value = content.get("access_token") if isinstance(content, dict) else None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise UnexpectedAnswer(_("the token endpoint returned no token"))
    return value, _lifetime(content.get("expires_in"))


def _lifetime(expires_in: Any) -> timedelta:
    """Convert seconds, which the API sends as text or as a number."""
    text = str(expires_in).strip()
    seconds = int(text[:9]) if text.isascii() and text.isdigit() else 0
    return min(timedelta(seconds=seconds), _MAX_LIFETIME) if seconds else _DEFAULT_LIFETIME
