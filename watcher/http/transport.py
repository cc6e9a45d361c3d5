"""Connections to a host: verified TLS, sockets with deadlines, and the environment's proxy if there is one.

Proxies named in the environment (`HTTPS_PROXY`, `NO_PROXY`) are used as by any other program. TLS runs through them
end to end and is verified as always. Loopback hosts are never reached through a proxy.
"""

import os
import ssl
from functools import lru_cache
from pathlib import Path
from threading import Lock
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi
import httpcore
import httpx

from watcher.http.hosts import is_loopback
from watcher.http.sockets import DeadlineBackend

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
    transport = httpx.HTTPTransport(verify=context, trust_env=False)
    transport._pool = _pool(context, _proxy_for(host))  # noqa: SLF001 - httpx offers no other way to use our sockets
    return transport


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return the cached context. The lock keeps accounts that are checked concurrently from each creating their own."""
    try:
        with _tls_lock:
            return _create_context(ca_file, ca_file.stat().st_mtime_ns if ca_file else 0)
    except OSError as error:
        raise ConnectionSetupFailed(
            f"ca_file {ca_file} cannot be used: {error.strerror or 'no certificate in it'}"
        ) from None


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


def _pool(context: ssl.SSLContext, proxy: str | None) -> httpcore.ConnectionPool:
    backend = DeadlineBackend()
    if proxy is None:
        return httpcore.ConnectionPool(
            ssl_context=context, max_connections=None, keepalive_expiry=_KEEPALIVE_SECONDS, network_backend=backend
        )
    parts = urlsplit(proxy)
    return httpcore.HTTPProxy(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        proxy_auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
        ssl_context=context,
        max_connections=None,
        keepalive_expiry=_KEEPALIVE_SECONDS,
        network_backend=backend,
    )


def _proxy_for(host: str) -> str | None:
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxy = getproxies().get("https")
    if proxy is None:
        return None
    scheme, separator, _ = proxy.partition("://")
    if not separator:
        return f"http://{proxy}"
    if scheme != "http":
        raise ConnectionSetupFailed(
            f"the proxy of the environment ({scheme}://…) is of a kind that is not supported; use http://"
        )
    return proxy
