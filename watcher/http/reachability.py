"""Probes of a portal's host, made like the requests of a check but without signing in."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event

import httpx

from watcher.http.client import DEFAULT_HEADERS
from watcher.http.hosts import host_of
from watcher.http.sockets import Deadline
from watcher.http.transport import ConnectionSetupFailed, open_transport


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProbe:
    """The result of a probe. Times are aware, UTC.

    `server_time` is the host's own clock, to the second; None if it sends none.
    `certificate_expires_at` is None without TLS.
    """

    status: int
    server_time: datetime | None
    certificate_expires_at: datetime | None


class Unreachable(Exception):
    """A host that cannot be reached or whose certificate is not trusted; the message says why."""


def probe_host(origin: str, *, ca_file: Path | None = None, seconds: float = 15.0) -> HostProbe:
    """Send a HEAD request for the start page of `origin`, without cookies or credentials.

    Redirects are not followed. Raises `Unreachable` if there is no answer within `seconds`.
    """
    deadline = Deadline(seconds, Event())
    request = httpx.Request("HEAD", f"{origin}/", headers=DEFAULT_HEADERS, extensions=deadline.extensions())
    try:
        with open_transport(request.url.scheme, host_of(origin), ca_file) as transport:
            response = transport.handle_request(request)
            try:
                connection = response.extensions["network_stream"].get_extra_info("ssl_object")
                return HostProbe(
                    status=response.status_code,
                    server_time=_server_time(response.headers.get("date")),
                    certificate_expires_at=_certificate_expires_at(connection),
                )
            finally:
                response.close()
    except ConnectionSetupFailed as error:
        raise Unreachable(str(error)) from None
    except httpx.TransportError as error:
        raise Unreachable(str(error) or type(error).__name__) from None


def _server_time(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date) if date else None
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, IndexError, OverflowError):
        return None


def _certificate_expires_at(connection: ssl.SSLSocket | None) -> datetime | None:
    certificate = connection.getpeercert() if connection is not None else None
    ends = certificate.get("notAfter") if certificate else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
