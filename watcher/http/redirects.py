"""Redirects: the request that follows one, by the rules of browsers but with less trust."""

import httpx

from watcher.errors import ForeignHost
from watcher.messages import _

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_SEE_OTHER = 303
_SAFE_HEADERS = frozenset({"user-agent", "accept-encoding", "accept", "accept-language"})
_RECOMPUTED_HEADERS = frozenset({"host", "cookie", "content-length", "transfer-encoding"})


def next_request(request: httpx.Request, status: int, location: str) -> httpx.Request:
    """Return the request that follows this redirect. The caller checks whether its host is allowed.

    307 and 308 keep method and body; 303, and 301 or 302 after a POST, turn into GET (RFC 9110, 15.4). Another origin
    gets only safe headers, never `Authorization`. Raises `ForeignHost` if a body, which may hold a password, would be
    sent to another origin, and httpx's `InvalidURL` if the address is invalid.
    """
    target = request.url.join(location)
    same_origin = _origin(target) == _origin(request.url)
    keeps_body = status in _KEEP_METHOD and bool(request.content)
    if keeps_body and not same_origin:
        raise ForeignHost(
            _(
                "{host} redirected submitted data to {other}; nothing was sent there",
                host=request.url.host,
                other=target.host,
            )
        )
    headers = [
        (raw_name, value)  # bytes: a cookie may have any
        for raw_name, value in request.headers.raw
        if ((name := raw_name.decode("ascii").lower()) in _SAFE_HEADERS or same_origin)
        and name not in _RECOMPUTED_HEADERS
        and (keeps_body or name != "content-type")
    ]
    return httpx.Request(
        _next_method(request.method, status),
        target,
        headers=headers,
        content=request.content if keeps_body else None,
        extensions=request.extensions,
    )


def _next_method(method: str, status: int) -> str:
    if status in _KEEP_METHOD or method == "HEAD":
        return method
    return "GET" if status == _SEE_OTHER or method == "POST" else method


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
