"""The HTTP client for portals. It turns transport errors, 5xx, 429, and foreign hosts into our errors.

It uses httpx's transport instead of its client, because redirects, cookies, and deadlines are handled here one by one,
and because a client's defaults cost as much as the rest of a request together.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Any, NoReturn, Self

import httpx

from watcher import __version__
from watcher.clock import Clock
from watcher.errors import AccessBlocked, ForeignHost, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.http.own_hosts import OwnHosts
from watcher.http.redirects import REDIRECTS, next_request
from watcher.http.registered_secrets import register_cookies, register_received, register_sent
from watcher.http.response import Response, decompress, parse_retry_after
from watcher.http.set_cookie import store_cookies
from watcher.http.sockets import Deadline
from watcher.http.transport import ConnectionSetupFailed, open_transport
from watcher.http.walls import blocked_text, wall_in
from watcher.messages import _
from watcher.model.cookie import CookieJar
from watcher.portal import Trace
from watcher.text.charset import json_in_utf8

_USER_AGENT = f"case-watcher/{__version__} (+self-hosted)"
DEFAULT_HEADERS = (("User-Agent", _USER_AGENT), ("Accept-Encoding", "identity"))
"""The headers of every request: what program this is, and that the answer should not be compressed."""

STOP_GRACE = 3.5
"""Seconds that the request in flight may still take when the daemon stops."""

_MAX_REDIRECTS = 10
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_TOO_LONG = frozenset({400, 413, 431})
_LONG_COOKIES = 4096
"""Bytes of cookies that are not the reason of a refusal; servers accept 8 KiB of headers and more."""


class TooManyRequests(PortalUnavailable):
    """HTTP 429: the portal asks to send no more requests for now."""


class PortalHttp:
    """An HTTP client for one portal's own hosts. Threads may share it; leaving its context closes the connections.

    `portal` is the portal's name in errors. `hosts` are the only hosts that requests go to, redirects included, always
    over HTTPS (plain HTTP on loopback hosts only), and only to the default port or to one of `origins`; None stands for
    any port. `ca_file` adds to the system's trusted certificates. If `cookies` is None, the portal's cookies are
    ignored; `on_cookies` is called after each answer that sets one. `request_deadline` is in seconds and covers a
    request with all its redirects and the complete body; when the daemon stops, it shrinks to `stop_grace`. `max_bytes`
    is the longest body that is accepted. `blocked_ends_check`: the answer of a firewall is an error; a portal whose
    firewall lets a person's session in handles it itself. `open_with` connects to a host.
    """

    def __init__(
        self,
        *,
        portal: str,
        hosts: Collection[str],
        clock: Clock,
        stop: Event,
        trace: Trace | None = None,
        origins: Collection[str] | None = None,
        ca_file: Path | None = None,
        cookies: CookieJar | None = None,
        on_cookies: Callable[[], None] | None = None,
        request_deadline: float = 45.0,
        stop_grace: float = STOP_GRACE,
        max_bytes: int = 8 * 1024 * 1024,
        blocked_ends_check: bool = True,
        open_with: Callable[[str, str, Path | None], httpx.BaseTransport] = open_transport,
    ) -> None:
        self._portal, self._clock, self._stop, self._trace = portal, clock, stop, trace
        self._own_hosts = OwnHosts(portal, hosts, origins)
        self._ca_file, self._deadline, self._max_bytes = ca_file, request_deadline, max_bytes
        self._cookies, self._on_cookies, self._grace = cookies, on_cookies, stop_grace
        self._blocked_ends_check = blocked_ends_check
        register_cookies(cookies or ())
        self._open_with, self._transports = open_with, dict[tuple[str, str], httpx.BaseTransport]()
        self._opening_lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for transport in self._transports.values():
            transport.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        follow: bool = True,
        allow: Collection[int] = frozenset(),
        max_bytes: int | None = None,
    ) -> Response:
        """Send one request and return its response. Follow redirects within the portal's hosts if `follow`.

        `max_bytes` overrides the client's limit for a document; such a response is not traced.

        Raises `ForeignHost` before anything is sent elsewhere; `PortalUnavailable` if the portal cannot be reached,
        closes the connection, is too slow, answers 429 (`TooManyRequests`) or 5xx (unless that status is in `allow`),
        or if the daemon stops; `AccessBlocked` if a firewall answers; `SessionEnded` if the cookies, which are
        forgotten, are too long for the portal; `UnexpectedAnswer` if the body is too long or redirects never end. Any
        other status is returned as a `Response`.
        """
        for sent in (headers, form, json):
            register_sent(sent)
        if self._stop.is_set():
            raise self._stopping()
        deadline = Deadline(self._deadline, self._stop, grace=self._grace)
        pairs = [*DEFAULT_HEADERS, *headers.items()] if headers else DEFAULT_HEADERS
        limits = deadline.extensions()
        try:
            request = httpx.Request(method, url, headers=pairs, params=params, data=form, json=json, extensions=limits)
        except (httpx.InvalidURL, UnicodeError):
            raise UnexpectedAnswer(_("{portal}: it sent an invalid address or header", portal=self._portal)) from None
        for _attempt in range(_MAX_REDIRECTS + 1):
            response = self._exchange(request, deadline, max_bytes)
            if response.status not in REDIRECTS or not follow or "location" not in response.headers:
                self._check_cookies_accepted(request, response)
                return self._checked(response, request.url.host, allow)
            request = self._next_request(request, response)
        raise UnexpectedAnswer(
            _(
                "{portal}: {host} redirected more than {limit} times",
                portal=self._portal,
                host=request.url.host,
                limit=_MAX_REDIRECTS,
            )
        )

    def _exchange(self, request: httpx.Request, deadline: Deadline, max_bytes: int | None) -> Response:
        url = request.url
        self._own_hosts.check(url.scheme, url.raw_host.decode("ascii"), url.port)
        self._add_cookies(request)
        try:
            raw = self._transport(request.url.scheme, request.url.host).handle_request(request)
            body = self._body(raw, request.url.host, max_bytes or self._max_bytes)
        except httpx.TransportError as error:
            self._raise_unavailable(request.url.host, error)
        if deadline.expired:
            self._raise_unavailable(request.url.host, httpx.ReadTimeout(_("no complete answer in time")))
        self._keep_cookies(request, raw)
        register_received(raw.headers.get_list("set-cookie"))
        response = Response(status=raw.status_code, url=str(request.url), headers=_readable(raw.headers), body=body)
        if self._trace is not None and max_bytes is None:
            name = f"{request.method} {request.url.path}"
            self._trace.save(name, status=response.status, url=response.url, headers=response.headers, body=body)
        return response

    def _add_cookies(self, request: httpx.Request) -> None:
        """Add the cookies as bytes, unless the request has its own."""
        if self._cookies is None or "cookie" in request.headers:
            return
        header = self._cookies.header(*_host_and_path(request.url), self._clock.now().timestamp())
        if header is not None:
            request.headers.update(httpx.Headers([(b"Cookie", header)]))

    def _keep_cookies(self, request: httpx.Request, response: httpx.Response) -> None:
        if self._cookies is not None:
            host, path = _host_and_path(request.url)
            now = self._clock.now().timestamp()
            store_cookies(self._cookies, response.headers.raw, host=host, path=path, now=now)
            if self._on_cookies is not None and "set-cookie" in response.headers:
                self._on_cookies()

    def _body(self, raw: httpx.Response, host: str, max_bytes: int) -> bytes:
        received = bytearray()  # joined at once: chunks of one byte each would take forty times the memory
        stream = raw.stream
        assert isinstance(stream, httpx.SyncByteStream)  # noqa: S101 - guaranteed by HTTPTransport; for the type checker
        try:
            for chunk in stream:
                received += chunk
                if len(received) > max_bytes:
                    raise UnexpectedAnswer(
                        _(
                            "{portal}: the answer from {host} is longer than {limit} bytes",
                            portal=self._portal,
                            host=host,
                            limit=max_bytes,
                        )
                    )
        finally:
            stream.close()
        body = bytes(received)
        encoding = raw.headers.get("content-encoding")
        if encoding is not None:
            body = decompress(body, encoding, max_bytes)
        return json_in_utf8(body, raw.headers.get("content-type", ""))

    def _stopping(self) -> PortalUnavailable:
        return PortalUnavailable(_("{portal}: the program is stopping, so the check was ended", portal=self._portal))

    def _raise_unavailable(self, host: str, error: httpx.TransportError) -> NoReturn:
        if self._stop.is_set():
            raise self._stopping() from None
        if isinstance(error, httpx.ProxyError):
            raise PortalUnavailable(
                _("{portal}: the proxy did not connect to {host}", portal=self._portal, host=host)
            ) from None
        # Quote only messages of our own sockets: those of other layers may contain a header.
        from_our_sockets = isinstance(error, httpx.ConnectError | httpx.TimeoutException | httpx.NetworkError)
        reason = str(error) if from_our_sockets else _("the answer is incomplete or not HTTP")
        raise PortalUnavailable(
            _("{portal}: cannot read from {host}: {reason}", portal=self._portal, host=host, reason=reason)
        ) from None

    def _next_request(self, request: httpx.Request, response: Response) -> httpx.Request:
        try:
            return next_request(request, response.status, response.headers["location"])
        except (httpx.InvalidURL, UnicodeError):
            raise UnexpectedAnswer(
                _("{portal}: {host} redirected to an invalid address", portal=self._portal, host=request.url.host)
            ) from None
        except ForeignHost as error:
            raise ForeignHost(f"{self._portal}: {error}") from None

    def _check_cookies_accepted(self, request: httpx.Request, response: Response) -> None:
        """Forget cookies that add up to more than the portal accepts, which would otherwise refuse every request."""
        length = sum(len(value) for name, value in request.headers.raw if name.lower() == b"cookie")
        if self._cookies is None or length < _LONG_COOKIES or response.status not in _TOO_LONG:
            return
        self._cookies.clear()
        if self._on_cookies is not None:
            self._on_cookies()
        raise SessionEnded(
            _(
                "{portal}: the session's cookies were too long (HTTP {status})",
                portal=self._portal,
                status=response.status,
            )
        )

    def _checked(self, response: Response, host: str, allow: Collection[int]) -> Response:
        status = response.status
        if self._blocked_ends_check and (wall := wall_in(status, response.headers, response.body)) is not None:
            raise AccessBlocked(f"{self._portal}: {blocked_text(wall, host, status)}")
        if (status < _SERVER_ERROR and status != _TOO_MANY_REQUESTS) or status in allow:
            return response
        wait = parse_retry_after(response.headers.get("retry-after"), self._clock.now())
        if status == _TOO_MANY_REQUESTS:
            raise TooManyRequests(
                _(
                    "{portal}: {host} asks us to slow down (HTTP {status})",
                    portal=self._portal,
                    host=host,
                    status=status,
                ),
                retry_after=wait,
            )
        raise PortalUnavailable(
            _("{portal}: {host} is not available (HTTP {status})", portal=self._portal, host=host, status=status),
            retry_after=wait,
        )

    def _transport(self, scheme: str, host: str) -> httpx.BaseTransport:
        transport = self._transports.get((scheme, host))
        if transport is not None:
            return transport
        with self._opening_lock:
            if (scheme, host) not in self._transports:
                try:
                    self._transports[scheme, host] = self._open_with(scheme, host, self._ca_file)
                except ConnectionSetupFailed as error:
                    raise PortalUnavailable(f"{self._portal}: {error}") from None
            return self._transports[scheme, host]


def _host_and_path(url: httpx.URL) -> tuple[str, str]:
    return url.raw_host.decode("ascii"), url.raw_path.partition(b"?")[0].decode("ascii")


def _readable(headers: httpx.Headers) -> httpx.Headers:
    """Return headers each decoded on its own, as UTF-8 if it is that, else as Latin-1; httpx decodes all alike."""
    if headers.encoding != "iso-8859-1":
        return headers
    return httpx.Headers([(name, _utf8(value)) for name, value in headers.raw], encoding="utf-8")


def _utf8(value: bytes) -> bytes:
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1").encode()
    return value
