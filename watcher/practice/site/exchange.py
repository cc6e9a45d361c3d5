"""HTTP requests and responses as values, independent of sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

SESSION_COOKIE = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request. `path` is decoded and has no query; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        """Return the fields of a posted form. The last of several with one name counts."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def session(self) -> str:
        """Return the value of the session cookie, or ""."""
        try:
            cookie = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookie[SESSION_COOKIE].value if SESSION_COOKIE in cookie else ""

    @property
    def bearer(self) -> str:
        """Return the token of the Authorization header, or ""."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response, and how it is sent.

    `delay` is in real seconds. If `cut_off`, only the first half of the body is sent; if `silent`, nothing. The
    connection is closed after either.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    cut_off: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One entry of the request log. `at` is the portal's time, UTC; queries, bodies, and headers are not kept."""

    method: str
    path: str
    status: int
    at: datetime


def html(text: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return an HTML page."""
    return Response(status=status, body=text.encode(), headers=headers)


def json_answer(document: object, *, status: int = 200) -> Response:
    """Return a JSON document, with its keys in the given order."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(status=status, body=body, content_type="application/json")


def plain(text: str, *, status: int) -> Response:
    """Return plain text, as gateways do."""
    return Response(status=status, body=text.encode(), content_type="text/plain")


def redirect(location: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return 303 See Other: the client continues with a GET."""
    return Response(status=303, headers=(("Location", location), *headers))
