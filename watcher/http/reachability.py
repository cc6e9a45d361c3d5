"""Whether a portal's host can be reached as a read would reach it, and what it shows before anybody signs in."""

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
    """What a host showed. Times are aware, UTC.

    `server_time` is the host's own clock, to the second; None if it sends none.
    `certified_until` is the end of its certificate; None without TLS.
    """

    status: int
    server_time: datetime | None
    certificate_expires_at: datetime | None


class Unreachable(Exception):
    """The host cannot be reached, or is not to be trusted; the message says why."""


def probe_host(origin: str, *, ca_file: Path | None = None, seconds: float = 15.0) -> HostProbe:
    """Asks the start page of `origin` for its head: no cookie, no credential, redirects not followed.

    Raises `Unreachable`.
    """
    patience = Deadline(seconds, Event())
    request = httpx.Request(
        "HEAD",
        f"{origin}/",
        headers=DEFAULT_HEADERS,
        extensions={"timeout": {"connect": patience, "read": patience, "write": patience, "pool": None}},
    )
    try:
        with open_transport(request.url.scheme, host_of(origin), ca_file) as transport:
            response = transport.handle_request(request)
            try:
                connection = response.extensions["network_stream"].get_extra_info("ssl_object")
                return HostProbe(
                    status=response.status_code,
                    server_time=_told_at(response.headers.get("date")),
                    certificate_expires_at=_certified_until(connection),
                )
            finally:
                response.close()
    except ConnectionSetupFailed as error:
        raise Unreachable(str(error)) from None
    except httpx.TransportError as error:
        raise Unreachable(str(error) or type(error).__name__) from None


def _told_at(date: str | None) -> datetime | None:
    try:
        told = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return told.astimezone(UTC) if told is not None and told.tzinfo is not None else None


def _certified_until(connection: ssl.SSLSocket | None) -> datetime | None:
    certificate = connection.getpeercert() if connection is not None else None
    ends = certificate.get("notAfter") if certificate else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
