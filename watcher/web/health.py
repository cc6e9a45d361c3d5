"""`/healthz` and `/metrics`, for this machine or, with a token, for others. They need no sign-in.

Without a token, only requests to a name of this machine are answered, so that a web page whose name points here (DNS
rebinding) learns nothing.
"""

import hmac
import json
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from watcher.messages import _
from watcher.monitoring.metrics import CONTENT_TYPE, exposition
from watcher.monitoring.service_status import status_json
from watcher.text.loopback import is_loopback
from watcher.web.service import Service

PATHS = ("/healthz", "/metrics")

_JSON = "application/json; charset=utf-8"


class HealthPages:
    """The two pages, and nothing else. `token` must never be logged."""

    def __init__(self, service: Service, token: str | None) -> None:
        """Ask `service` for each request."""
        self._service, self._token = service, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        status, media_type, body = await self._answer(scope["method"], scope["path"], Headers(scope=scope))
        headers = {"Content-Type": media_type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        await Response(body, status, headers)(scope, receive, send)

    async def _answer(self, method: str, path: str, headers: Headers) -> tuple[HTTPStatus, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return _error(HTTPStatus.NOT_IMPLEMENTED, "only GET and HEAD are answered")
        if not self._is_authorized(headers.get("host", ""), headers.get("authorization", "")):
            status = HTTPStatus.UNAUTHORIZED if self._token else HTTPStatus.FORBIDDEN
            return _error(status, "this address needs a bearer token" if self._token else "use a name of this machine")
        if path not in PATHS:
            return _error(HTTPStatus.NOT_FOUND, f"the pages are {' and '.join(PATHS)}")
        current = await self._service.current()
        if current is None:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, _("`watcher run` does not answer"))
        if path == "/metrics":
            return HTTPStatus.OK, CONTENT_TYPE, exposition(current.status, current.counters, current.process)
        code = HTTPStatus.OK if current.status.healthy else HTTPStatus.SERVICE_UNAVAILABLE
        return code, _JSON, _document(status_json(current.status))

    def _is_authorized(self, host: str, authorization: str) -> bool:
        if self._token is None:
            return is_loopback(f"//{host}")
        scheme, _space, token = authorization.partition(" ")
        expected = self._token.encode()
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode("latin-1"), expected)


class WithHealthPages:
    """An app, and the two pages beside it at the same address. The token is needed: a proxy may hide who asks."""

    def __init__(self, app: ASGIApp, pages: HealthPages) -> None:
        """Serve both."""
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in PATHS:
            await self._pages({**scope, "path": path}, receive, send)
        else:
            await self._app(scope, receive, send)


def _error(status: HTTPStatus, reason: str) -> tuple[HTTPStatus, str, bytes]:
    return status, _JSON, _document({"status": "unknown", "reason": reason})


def _document(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"
