"""Connections to a host: verified TLS, sockets with deadlines, and the environment's proxy if there is one.

TLS runs through a proxy end to end and is verified as always. `watcher.http.proxies` finds the proxy.
"""

import os
import ssl
from functools import lru_cache
from pathlib import Path
from threading import Lock

import certifi
import httpcore
import httpx

from watcher.errors import system_reason
from watcher.http.proxies import Proxy, UnusableProxy, proxy_for
from watcher.http.sockets import DeadlineBackend
from watcher.messages import _

_KEEPALIVE_SECONDS = 20.0
_tls_lock = Lock()


class ConnectionSetupFailed(Exception):
    """A fault of the machine's own setup (a CA file, a proxy) that prevents connections; the message says which."""


def open_transport(scheme: str, host: str, ca_file: Path | None) -> httpx.HTTPTransport:
    """Return a pool of connections to this host, verified against the system's certificates and those of `ca_file`.

    A pool for plain `http` loads no certificates, so it cannot make any TLS connection.
    Raises `ConnectionSetupFailed` if the file or the environment's proxy cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if scheme == "http" else _tls_context(ca_file)
    try:
        proxy = proxy_for(host, os.environ)
    except UnusableProxy as error:
        raise ConnectionSetupFailed(str(error)) from None
    transport = httpx.HTTPTransport(verify=context, trust_env=False)
    transport._pool = _pool(context, proxy)  # noqa: SLF001 - httpx offers no other way to use our sockets
    return transport


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return the cached context. The lock keeps accounts that are checked concurrently from each creating their own."""
    try:
        with _tls_lock:
            return _create_context(ca_file, ca_file.stat().st_mtime_ns if ca_file else 0)
    except OSError as error:
        reason = system_reason(error) or _("it contains no certificate")
        raise ConnectionSetupFailed(_("cannot use ca_file {file}: {reason}", file=ca_file, reason=reason)) from None


@lru_cache(maxsize=8)
def _create_context(ca_file: Path | None, _modified_ns: int) -> ssl.SSLContext:
    """Create one context per CA file and modification time: the system's certificates take 17 ms and 2.5 MiB."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if os.name == "posix" and not paths.cafile and not paths.capath:
        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _pool(context: ssl.SSLContext, proxy: Proxy | None) -> httpcore.ConnectionPool:
    backend = DeadlineBackend()
    if proxy is None:
        return httpcore.ConnectionPool(
            ssl_context=context, max_connections=None, keepalive_expiry=_KEEPALIVE_SECONDS, network_backend=backend
        )
    return httpcore.HTTPProxy(
        proxy.origin,
        proxy_auth=proxy.credentials and (proxy.credentials[0].encode(), proxy.credentials[1].encode()),
        ssl_context=context,
        max_connections=None,
        keepalive_expiry=_KEEPALIVE_SECONDS,
        network_backend=backend,
    )
