"""Who may enter, as plain ASGI: it finds the visitor of each request, or refuses the request.

A page is reached only by a device that is signed in, and only with `request.state.visitor`. Without a session, there
are the addresses whose token is the key (`_KEYED`) and what is public. A form must come from the page itself: by its
`Origin` or `Sec-Fetch-Site`, and by the token of its visitor.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.errors import StoreUnusable
from watcher.model.web import KeyKind
from watcher.privacy.web_tokens import form_token
from watcher.web import entry_pages, sessions
from watcher.web.challenges import Challenges
from watcher.web.context import WebContext
from watcher.web.form_token import has_token
from watcher.web.origin import PageNames
from watcher.web.passkeys import Passkeys
from watcher.web.security import HANDOVER, STATIC, route_path
from watcher.web.sessions import Device, was_seen_long_ago
from watcher.web.throttle import Throttle
from watcher.web.visitor import Visitor

PUBLIC = frozenset({"/sign-in", "/manifest.webmanifest", "/service-worker.js", "/favicon.ico", "/robots.txt"})
"""What anybody may get, beside the static files. Nothing of it is personal."""

_LINK, _ALERT = "sign-in", "a"
_KEYED = re.compile(r"/(?:(sign-in|a|handover)/([^/]+)(?:/.*)?|(calendar)/([^/]+)\.ics)")
_NOTED_AGAIN = timedelta(minutes=5)
_SAME_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """Who sends a request. `token` is what the token of its forms is made of; None if it needs none.

    `forget_device`: its browser has the cookie of a device that is no longer signed in.
    """

    visitor: Visitor | None = None
    device: Device | None = None
    token: str | None = None
    forget_device: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """Why a request is refused. `wait` is in seconds."""

    status: HTTPStatus
    wait: int = 0
    forget_device: bool = False
    offers_passkey: bool = False


_FORBIDDEN = _Refusal(status=HTTPStatus.FORBIDDEN)


class Guard:
    """What is remembered from one request to the next: wrong tokens, challenges for passkeys, and devices seen."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet. `monotonic` is the clock for it."""
        self.throttle, self.passkeys = Throttle(monotonic), Passkeys(Challenges(monotonic))
        self._noted: dict[int, datetime] = {}

    def is_to_be_noted(self, device: Device, now: datetime) -> bool:
        """Return whether it should be recorded that a device was used, and remember that it will be."""
        noted = self._noted.get(device.key.id)
        if not was_seen_long_ago(device, now) or (noted is not None and now - noted < _NOTED_AGAIN):
            return False
        self._noted[device.key.id] = now
        return True


class Entrance:
    """Lets visitors in."""

    def __init__(self, app: ASGIApp, *, context: WebContext, guard: Guard) -> None:
        """Let visitors in to `app`."""
        self._app, self._context, self._guard = app, context, guard
        self._names, self._throttle = PageNames(context.settings.web), guard.throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = route_path(scope)
        scope.setdefault("state", {})["guard"] = self._guard
        if path.startswith(STATIC) or (path in PUBLIC and scope["method"] != "POST"):
            await self._app(scope, receive, send)
            return
        entry, receive = await self._decide(scope, receive, path)
        if isinstance(entry, _Refusal):
            await self._refuse(entry, scope, receive, send)
            return
        scope["state"]["device"] = entry.device
        if entry.visitor is not None:
            scope["state"]["visitor"] = entry.visitor
        device, request, change = entry.device, Request(scope), Response()
        is_noted = device is not None and self._guard.is_to_be_noted(device, self._context.clock.now())
        if device is not None and is_noted:
            set_device(request, change, device.token)
        elif entry.forget_device:
            forget_device(request, change)
        await self._app(scope, receive, _with_cookie_of(change, send))
        if device is not None and is_noted:
            await run_in_threadpool(self._note_seen, device)  # after the answer, which does not wait for it

    async def _decide(self, scope: Scope, receive: Receive, path: str) -> tuple[_Entry | _Refusal, Receive]:
        """Return who sends a request, or why it is refused, and what its body is received with."""
        headers, keyed, is_post = Headers(scope=scope), _KEYED.fullmatch(path), scope["method"] == "POST"
        if is_post and not path.startswith(HANDOVER) and not self._is_own_form(scope, headers):
            return _FORBIDDEN, receive
        if keyed and (wait := self._throttle.wait(_address(scope))):
            return _Refusal(status=HTTPStatus.TOO_MANY_REQUESTS, wait=wait), receive
        try:
            entry = await run_in_threadpool(self._enter, Request(scope), path, keyed)
        except StoreUnusable:
            return _Refusal(status=HTTPStatus.SERVICE_UNAVAILABLE), receive
        if is_post and isinstance(entry, _Entry) and entry.token is not None:
            may_post, receive = await self._may_post(path, headers, receive, entry.token)
            return (entry if may_post else _FORBIDDEN), receive
        return entry, receive

    def _enter(self, request: Request, path: str, keyed: re.Match[str] | None) -> _Entry | _Refusal:
        """Return who sends a request. Reads the database."""
        address = _address(request.scope)
        secure = request.url.scheme == "https"
        cookie = sessions.cookie_token(request.cookies, secure=secure)
        device = sessions.device_of(self._context, cookie) if cookie else None
        is_wrong = cookie is not None and device is None
        if is_wrong:
            self._throttle.count(address)
        if keyed:
            entry = self._enter_by_token(keyed[1] or keyed[3], keyed[2] or keyed[4], address, device)
            return replace(entry, forget_device=is_wrong)
        if path in PUBLIC:
            return _Entry(device=device, forget_device=is_wrong)
        if device is not None:
            return _Entry(visitor=device.visitor, device=device, token=device.token)
        wait = self._throttle.wait(address) if is_wrong else 0
        status = HTTPStatus.TOO_MANY_REQUESTS if wait else HTTPStatus.UNAUTHORIZED
        offers_passkey = not wait and sessions.has_passkeys(self._context)
        return _Refusal(status=status, wait=wait, forget_device=is_wrong, offers_passkey=offers_passkey)

    def _enter_by_token(self, kind: str, token: str, address: str, device: Device | None) -> _Entry | _Refusal:
        entry: _Entry | None = None
        if kind == _LINK:
            is_valid = sessions.valid_key(self._context, KeyKind.LINK, token) is not None
            entry = _Entry(device=device, token=token) if is_valid else None
        elif kind == _ALERT:
            visitor = sessions.alert_visitor(self._context, token, device)
            form = device.token if device else token
            entry = _Entry(visitor=visitor, device=device, token=form) if visitor else None
        else:
            visitor = sessions.link_visitor(self._context, KeyKind(kind), token)
            entry = _Entry(visitor=visitor) if visitor else None
        if entry is None:
            self._throttle.count(address)
            return _Refusal(status=HTTPStatus.GONE)
        return entry

    def _is_own_form(self, scope: Scope, headers: Headers) -> bool:
        """Return whether a form was sent by a page of ours, as far as the browser says where it comes from.

        A browser sends `Origin: null` because no page of ours may be named as a referrer.
        """
        sent, site = headers.get("origin", "null"), headers.get("sec-fetch-site")
        if site is not None and site not in _SAME_SITE:
            return False
        return sent == "null" or self._names.accepts(sent, scope["state"]["origin"])

    async def _may_post(self, path: str, headers: Headers, receive: Receive, token: str) -> tuple[bool, Receive]:
        is_browser = any(name in headers for name in ("cookie", "origin", "sec-fetch-site"))
        if path.startswith(f"/{_ALERT}/") and not is_browser:
            return True, receive  # a button in an app: the token in the address is all that it has
        return await has_token(headers, receive, form_token(token))

    async def _refuse(self, refusal: _Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        response = entry_pages.refusal(
            request, refusal.status, wait=refusal.wait, offers_passkey=refusal.offers_passkey
        )
        if refusal.forget_device:
            forget_device(request, response)
        await response(scope, receive, send)

    def _note_seen(self, device: Device) -> None:
        with suppress(StoreUnusable):  # it is tried again, and the page says so itself if it cannot be shown either
            self._context.perform("note_seen", device=device.key.id, now=self._context.clock.now())


def _address(scope: Scope) -> str:
    """Return the address of who sends a request; behind trusted proxies, the server has found it."""
    host: str = (scope.get("client") or ("",))[0]
    return host


def _with_cookie_of(change: Response, send: Send) -> Send:
    """Return `send` that sets the cookie of another response too. One that the answer itself sets counts instead."""
    cookie = [header for header in change.raw_headers if header[0] == b"set-cookie"]
    if not cookie:
        return send

    async def with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*cookie, *message.get("headers", [])]  # of two, a browser takes the later one
        await send(message)

    return with_cookie


def guard_of(request: Request) -> Guard:
    """Return what is remembered from one request to the next."""
    guard: Guard = request.state.guard
    return guard


def set_device(request: Request, response: Response, token: str) -> None:
    """Let the browser of a request keep the token of its device."""
    is_secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
    sessions.set_cookie(response, token, secure=is_secure, prefix=request.scope.get("root_path", ""))


def forget_device(request: Request, response: Response) -> None:
    """Let the browser of a request forget its device."""
    prefix = request.scope.get("root_path", "")
    sessions.delete_cookie(response, secure=request.url.scheme == "https", prefix=prefix)
