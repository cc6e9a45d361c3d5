"""What the next request is when a portal redirects: the rules of browsers, with less trust."""

import httpx

from watcher.errors import ForeignHost

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_SEE_OTHER = 303
_HARMLESS = frozenset({"user-agent", "accept-encoding", "accept", "accept-language"})
_MADE_ANEW = frozenset({"host", "cookie", "content-length", "transfer-encoding"})


def next_request(request: httpx.Request, status: int, location: str) -> httpx.Request:
    """The request that follows this redirect. Whether its host may be spoken to is for the caller to check.

    307 and 308 keep method and body, 303 (and 301, 302 after a POST) turn into GET (RFC 9110, 15.4). To another
    origin only harmless headers go along, never `Authorization`. Raises `ForeignHost` where a body, which may hold a
    password, would be sent on to another origin; httpx's `InvalidURL` where the address is none.
    """
    target = request.url.join(location)
    stays = _origin(target) == _origin(request.url)
    keeps_body = status in _KEEP_METHOD and bool(request.content)
    if keeps_body and not stays:
        raise ForeignHost(
            f"{request.url.host} wanted what was submitted to it sent on to {target.host}; nothing was sent there"
        )
    kept = {
        name: value
        for name, value in request.headers.items()
        if (stays or name in _HARMLESS) and name not in _MADE_ANEW and (keeps_body or name != "content-type")
    }
    return httpx.Request(
        _next_method(request.method, status),
        target,
        headers=kept,
        content=request.content if keeps_body else None,
        extensions=request.extensions,
    )


def _next_method(method: str, status: int) -> str:
    if status in _KEEP_METHOD or method == "HEAD":
        return method
    return "GET" if status == _SEE_OTHER or method == "POST" else method


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
