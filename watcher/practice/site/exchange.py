"""One exchange over HTTP as values: what was asked and what is answered, with no socket in sight."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

SESSION_COOKIE = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked. `path` is decoded and without its query; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        """The fields of a posted form; the last of several with one name."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def session(self) -> str:
        """The value of the session cookie, or nothing."""
        try:
            cookie = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookie[SESSION_COOKIE].value if SESSION_COOKIE in cookie else ""

    @property
    def bearer(self) -> str:
        """The token of the Authorization header, or nothing."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered, and how it travels.

    `delay` is in real seconds. Of a `cut_off` answer only the first half of the body arrives, of a `silent` one
    nothing; the connection ends after either.
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
    """One line of the request log. `at` is the portal's clock, UTC; queries, bodies and headers are not kept."""

    method: str
    path: str
    status: int
    at: datetime


def html(text: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A page."""
    return Response(status=status, body=text.encode(), headers=headers)


def json_answer(document: object, *, status: int = 200) -> Response:
    """A JSON document; its keys stay in the order they were given in."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(status=status, body=body, content_type="application/json")


def plain(text: str, *, status: int) -> Response:
    """Bare text, as gateways answer."""
    return Response(status=status, body=text.encode(), content_type="text/plain")


def redirect(location: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """See Other: whatever was asked, the client goes on with a GET."""
    return Response(status=303, headers=(("Location", location), *headers))
