"""Who a request is from: devices with their cookie, and the tokens in links. Reads the database, and rarely writes.

A device is signed in by a one-time link or a passkey. Its token is in a cookie that no script can read, and stays valid
until the device was not used for 90 days or is signed out. The database has only the digests of tokens.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response

from watcher.model.web import ALERT_LINK_TIME, IDLE_TIME, KeyKind, WebKey
from watcher.privacy.web_tokens import form_token
from watcher.web.context import WebContext
from watcher.web.visitor import Visitor

_NAME = "watcher"
_SECURE_NAMES = (f"__Host-{_NAME}", f"__Secure-{_NAME}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_SEEN_EVERY = timedelta(hours=12)
"""How precisely it is known when a device was last used: each note is a write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that is signed in, with its token."""

    key: WebKey
    token: str

    @property
    def visitor(self) -> Visitor:
        """What the device may see and change."""
        return Visitor(
            kind="device",
            csrf=form_token(self.token),
            device=self.key.id,
            person=self.key.person,
            read_only=self.key.read_only,
        )


def device_of(context: WebContext, token: str) -> Device | None:
    """Return the device with this token; None if it is signed out or has expired."""
    if not _TOKEN.fullmatch(token):
        return None
    with context.reading() as opened:
        key = opened.store.web.find(KeyKind.DEVICE, token)
    return Device(key=key, token=token) if key is not None and key.is_valid(context.clock.now()) else None


def link_visitor(context: WebContext, kind: KeyKind, token: str) -> Visitor | None:
    """Return who has the token of a calendar or a hand-over; None if it has ended."""
    key = valid_key(context, kind, token)
    if key is None:
        return None
    csrf = form_token(token)
    if kind is KeyKind.CALENDAR:
        return Visitor(kind="calendar", csrf=csrf, person=key.person, read_only=True)
    return Visitor(kind="handover", csrf=csrf, account=key.name)


def valid_key(context: WebContext, kind: KeyKind, token: str) -> WebKey | None:
    """Return the key of this kind with this token; None if it has ended."""
    if not _TOKEN.fullmatch(token):
        return None
    with context.reading() as opened:
        key = opened.store.web.find(kind, token)
    return key if key is not None and key.is_valid(context.clock.now()) else None


def alert_visitor(context: WebContext, token: str, device: Device | None) -> Visitor | None:
    """Return who has opened the link of an alert, on a device or not; None if the link has ended."""
    if not _TOKEN.fullmatch(token):
        return None
    with context.reading() as opened:
        found = opened.store.web.alert_of_link(token)
    if found is None or context.clock.now() - found[1] >= ALERT_LINK_TIME:
        return None
    if device is None:
        return Visitor(kind="alert", csrf=form_token(token), alert=found[0])
    visitor = device.visitor
    return Visitor(
        kind="device",
        csrf=visitor.csrf,
        device=visitor.device,
        person=visitor.person,
        read_only=visitor.read_only,
        alert=found[0],
    )


def sign_in_by_link(context: WebContext, link: str, *, name: str, present: Device | None) -> str | None:
    """Use up a one-time link and return the token of the device, called `name`; None if the link has ended.

    A device that is signed in already stays the same one, unless the link is for somebody else.
    """
    now = context.clock.now()
    signed_in = context.perform(
        "use_link", link=link, device_name=name, now=now, present=present.key if present else None
    )
    if signed_in.refused:
        return None
    return signed_in.token or (present.token if present else None)


def has_passkeys(context: WebContext) -> bool:
    """Return whether anybody can sign in with a passkey."""
    with context.reading() as opened:
        return bool(opened.store.web.passkeys())


def was_seen_long_ago(device: Device, now: datetime) -> bool:
    """Return whether it should be recorded again that the device was used."""
    return now - (device.key.last_seen_at or device.key.created_at) >= _SEEN_EVERY


# The cookie


def cookie_token(cookies: Mapping[str, str], *, secure: bool) -> str | None:
    """Return the token in a request's cookies. `secure`: the browser used HTTPS, where only a secure one counts."""
    for name in _SECURE_NAMES if secure else (*_SECURE_NAMES, _NAME):
        if token := cookies.get(name):
            return token
    return None


def set_cookie(response: Response, token: str, *, secure: bool, prefix: str) -> None:
    """Let the browser keep the token. `prefix` is the path under which it sees the page."""
    response.set_cookie(
        _cookie_name(secure=secure, prefix=prefix),
        token,
        max_age=int(IDLE_TIME.total_seconds()),
        path=prefix or "/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def delete_cookie(response: Response, *, secure: bool, prefix: str) -> None:
    """Let the browser forget the token."""
    name = _cookie_name(secure=secure, prefix=prefix)
    response.delete_cookie(name, path=prefix or "/", secure=secure, httponly=True, samesite="lax")


def _cookie_name(*, secure: bool, prefix: str) -> str:
    if not secure:
        return _NAME
    return _SECURE_NAMES[1] if prefix else _SECURE_NAMES[0]
