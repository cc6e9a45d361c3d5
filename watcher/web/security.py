"""The outer guard of the page, as plain ASGI: what is refused before anything looks at a request, and the headers.

It checks the `Host` (DNS rebinding), bounds the request, and gives every response headers that let a browser load
nothing from elsewhere, run no script but the page's own, and keep nothing.
"""

import asyncio
import re
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.messages import _
from watcher.settings import WebSettings
from watcher.web.origin import Origin, PageNames

MAX_FORM = 256 * 1024
"""How many bytes a form may have that is not an upload."""

MAX_UPLOAD = 32 * 1024 * 1024
"""How many bytes an upload may have."""

MAX_PAUSE = 20.0
"""How many seconds a client may take for the next part of a body."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
STATIC, HANDOVER = "/static/", "/handover/"
"""The paths of public files, and of what a script in another site's tab sends."""

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_MAX_TARGET, _MAX_HEADERS, _MAX_DIGITS = 2048, 16 * 1024, 12
_BAD_PATH = re.compile(r"[\x00-\x1f\x7f\\]|(^|/)\.\.?(/|$)")
_MULTIPART = "multipart/form-data"


def route_path(scope: Scope) -> str:
    """Return the path of a request within the page, without the prefix under which a browser sees the page."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path


class Refused(Exception):
    """The body of a request is too large or too slow. `status` is the answer."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Security:
    """Refuses requests that no page should see, and protects every response."""

    def __init__(self, app: ASGIApp, *, settings: WebSettings, max_pause: float = MAX_PAUSE) -> None:
        """Guard `app`. `max_pause` is in seconds."""
        self._app, self._names, self._max_pause = app, PageNames(settings), max_pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        protected = _protected(scope, send)
        headers = Headers(scope=scope)
        origin = self._names.origin(headers.get("host", ""), scope["scheme"])
        status = _fault(scope, headers, origin)
        if status is not None:
            await _refuse(status, scope, receive, protected)
            return
        scope.setdefault("state", {})["origin"] = origin
        scope["scheme"] = origin.scheme if origin else scope["scheme"]
        bounded = _bounded(receive, _max_body(scope, headers), self._max_pause)
        try:
            await self._app(scope, bounded, protected)
        except Refused as refused:
            await _refuse(refused.status, scope, receive, protected)


def _fault(scope: Scope, headers: Headers, origin: Origin | None) -> HTTPStatus | None:
    """Return the status with which a request is refused; None if it is not."""
    length = headers.get("content-length", "0")
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _MAX_TARGET:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if sum(len(name) + len(value) for name, value in scope["headers"]) > _MAX_HEADERS:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if len(headers.getlist("host")) != 1 or not length.isdecimal() or _BAD_PATH.search(scope["path"]):
        return HTTPStatus.BAD_REQUEST
    if origin is None:
        return HTTPStatus.MISDIRECTED_REQUEST
    if scope["method"] not in _METHODS:
        return HTTPStatus.METHOD_NOT_ALLOWED
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if int(length[:_MAX_DIGITS]) > _max_body(scope, headers) else None


def _max_body(scope: Scope, headers: Headers) -> int:
    is_upload = headers.get("content-type", "").startswith(_MULTIPART) or route_path(scope).startswith(HANDOVER)
    return MAX_UPLOAD if is_upload else MAX_FORM


def _bounded(receive: Receive, max_body: int, max_pause: float) -> Receive:
    """Return `receive` with a limit on the body's size and on the time for each part of it."""
    received = 0
    complete = False

    async def bounded() -> Message:
        nonlocal received, complete
        if complete:
            return await receive()  # waits for the end of the connection
        try:
            message = await asyncio.wait_for(receive(), max_pause)
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT) from None
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
        if received > max_body:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return bounded


def _protected(scope: Scope, send: Send) -> Send:
    """Return `send` that adds the headers to a response, except those that the response has itself."""
    is_static = route_path(scope).startswith(STATIC)

    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if is_static:
                headers.setdefault("cache-control", "no-cache")  # public, and checked by its ETag
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return protected


async def _refuse(status: HTTPStatus, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a status, and close the connection: what the client still sends is not read."""
    text = _("This request was refused ({status}).", status=f"{status.value} {status.phrase}")
    await PlainTextResponse(text, status, {"connection": "close"})(scope, receive, send)
