"""The one door to HTTP: where transport errors, 5xx, 429 and foreign hosts become our errors.

It builds on httpx's transport rather than on its client, because redirects, cookies and deadlines are decided here,
one by one, and because a client's defaults cost as much as the rest of a request together.
"""

from collections.abc import Collection, Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Any, NoReturn, Self

import httpx

from watcher import __version__
from watcher.clock import Clock
from watcher.errors import ForeignHost, PortalUnavailable, UnexpectedAnswer
from watcher.http.hosts import check_base_url, host_of, is_loopback
from watcher.http.redirects import REDIRECTS, next_request
from watcher.http.response import Response, decompress, parse_retry_after, read_text
from watcher.http.sockets import Deadline
from watcher.http.transport import ConnectionSetupFailed, open_transport
from watcher.portal import Trace
from watcher.text.json import read_json

__all__ = [
    "PortalHttp",
    "Response",
    "TooManyRequests",
    "check_base_url",
    "host_of",
    "is_loopback",
    "read_json",
    "read_text",
]

_USER_AGENT = f"case-watcher/{__version__} (+self-hosted)"
DEFAULT_HEADERS = (("User-Agent", _USER_AGENT), ("Accept-Encoding", "identity"))
"""What goes with every request: who asks, honestly, and that the answer may come as it is."""

_MAX_REDIRECTS = 10
_TOO_MANY = 429
_SERVER_ERROR = 500


class TooManyRequests(PortalUnavailable):
    """HTTP 429: the portal itself asks to send no more for now."""


class PortalHttp:
    """HTTP to one portal's own hosts, shared by threads; closed by leaving its context.

    `portal` is what errors call it. `hosts` are the only hosts that are ever spoken to, on redirects too, always by
    HTTPS (plain HTTP on loopback hosts alone). `ca_file` adds to the system's trusted certificates. `cookies` None:
    the portal's cookies are ignored. `request_deadline` is in seconds and covers a request with all its redirects and
    the whole body; `max_bytes` is the longest body that is taken.
    """

    def __init__(
        self,
        *,
        portal: str,
        hosts: Collection[str],
        clock: Clock,
        stop: Event,
        trace: Trace | None = None,
        ca_file: Path | None = None,
        cookies: CookieJar | None = None,
        request_deadline: float = 45.0,
        max_bytes: int = 8 * 1024 * 1024,
    ) -> None:
        self._portal, self._clock, self._stop, self._trace = portal, clock, stop, trace
        self._hosts = frozenset(host.lower() for host in hosts)
        self._ca_file, self._deadline, self._max_bytes = ca_file, request_deadline, max_bytes
        self._cookies = None if cookies is None else httpx.Cookies(cookies)
        self._transports: dict[tuple[str, str], httpx.HTTPTransport] = {}
        self._opening = Lock()

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
        """One request and its answer, redirects followed within the portal's hosts where `follow`.

        `max_bytes` in place of the usual longest body is for a document; such an answer is not kept in a trace.

        Raises `ForeignHost` before anything is sent elsewhere; `PortalUnavailable` where the portal cannot be
        reached, breaks off, is too slow, answers 429 (`TooManyRequests`) or 5xx (unless that status is in `allow`), or
        the daemon stops; `UnexpectedAnswer` where the body is too long or redirects never end. Any other
        status is an `Response`.
        """
        patience = Deadline(self._deadline, self._stop)
        try:
            request = httpx.Request(
                method,
                url,
                headers=[*DEFAULT_HEADERS, *headers.items()] if headers else DEFAULT_HEADERS,
                params=params,
                data=form,
                json=json,
                extensions={"timeout": {"connect": patience, "read": patience, "write": patience, "pool": None}},
            )
        except (httpx.InvalidURL, UnicodeError):
            raise UnexpectedAnswer(f"{self._portal}: an address or header that came from it is not valid") from None
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._exchange(request, patience, max_bytes)
            if answer.status not in REDIRECTS or not follow or "location" not in answer.headers:
                return self._taken(answer, request.url.host, allow)
            request = self._redirected(request, answer)
        raise UnexpectedAnswer(f"{self._portal}: {request.url.host} redirected more than {_MAX_REDIRECTS} times")

    def _exchange(self, request: httpx.Request, patience: Deadline, max_bytes: int | None) -> Response:
        self._check_host(request.url)
        if self._cookies is not None:
            self._cookies.set_cookie_header(request)
        try:
            response = self._transport(request.url.scheme, request.url.host).handle_request(request)
            body = self._body(response, request.url.host, max_bytes or self._max_bytes)
        except httpx.TransportError as error:
            self._give_up(request.url.host, error)
        if patience.expired:
            self._give_up(request.url.host, httpx.ReadTimeout("no complete answer in time"))
        if self._cookies is not None:
            response.request = request
            self._cookies.extract_cookies(response)
        answer = Response(status=response.status_code, url=str(request.url), headers=response.headers, body=body)
        if self._trace is not None and max_bytes is None:
            name = f"{request.method} {request.url.path}"
            self._trace.save(name, status=answer.status, url=answer.url, headers=answer.headers, body=body)
        return answer

    def _check_host(self, url: httpx.URL) -> None:
        host = url.raw_host.decode("ascii")
        if host not in self._hosts:
            raise ForeignHost(
                f"{self._portal}: {host or 'no host'} is not one of its own hosts; nothing was sent there"
            )
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
            raise ForeignHost(f"{self._portal}: {host} would have been spoken to without TLS; nothing was sent there")

    def _body(self, response: httpx.Response, host: str, max_bytes: int) -> bytes:
        chunks, length = [], 0
        stream = response.stream
        assert isinstance(stream, httpx.SyncByteStream)  # noqa: S101 - HTTPTransport promises it; for the type checker
        try:
            for chunk in stream:
                chunks.append(chunk)
                length += len(chunk)
                if length > max_bytes:
                    raise UnexpectedAnswer(f"{self._portal}: the answer of {host} is longer than {max_bytes} bytes")
        finally:
            stream.close()
        body = b"".join(chunks)
        encoding = response.headers.get("content-encoding")
        return body if encoding is None else decompress(body, encoding, max_bytes)

    def _give_up(self, host: str, error: httpx.TransportError) -> NoReturn:
        if self._stop.is_set():
            raise PortalUnavailable(f"{self._portal}: the watcher is stopping; the read was given up") from None
        # Only words of our own sockets are repeated: those of other layers may quote a header.
        ours = isinstance(error, httpx.ConnectError | httpx.TimeoutException | httpx.NetworkError)
        reason = str(error) if ours else "the answer broke off or is not HTTP"
        raise PortalUnavailable(f"{self._portal}: {host} could not be read: {reason}") from None

    def _redirected(self, request: httpx.Request, answer: Response) -> httpx.Request:
        try:
            return next_request(request, answer.status, answer.headers["location"])
        except (httpx.InvalidURL, UnicodeError):
            raise UnexpectedAnswer(f"{self._portal}: {request.url.host} redirected to no valid address") from None
        except ForeignHost as error:
            raise ForeignHost(f"{self._portal}: {error}") from None

    def _taken(self, answer: Response, host: str, allow: Collection[int]) -> Response:
        status = answer.status
        if (status < _SERVER_ERROR and status != _TOO_MANY) or status in allow:
            return answer
        wait = parse_retry_after(answer.headers.get("retry-after"), self._clock.now())
        if status == _TOO_MANY:
            raise TooManyRequests(f"{self._portal}: {host} asks to slow down (HTTP {status})", retry_after=wait)
        raise PortalUnavailable(f"{self._portal}: {host} is not available (HTTP {status})", retry_after=wait)

    def _transport(self, scheme: str, host: str) -> httpx.HTTPTransport:
        transport = self._transports.get((scheme, host))
        if transport is not None:
            return transport
        with self._opening:
            if (scheme, host) not in self._transports:
                try:
                    self._transports[scheme, host] = open_transport(scheme, host, self._ca_file)
                except ConnectionSetupFailed as error:
                    raise PortalUnavailable(f"{self._portal}: {error}") from None
            return self._transports[scheme, host]
