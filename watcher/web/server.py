"""The HTTP server: uvicorn's protocol at sockets that already listen, until nobody asks or it has to end."""

import asyncio
import logging
import resource
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config

from watcher.errors import WatcherError, os_error_text
from watcher.messages import _
from watcher.web.protocol import Connections, LimitedProtocol, Limits

_THREADS = 8
_MAX_DESCRIPTORS = 4096
_HANDSHAKE_TIME = 10.0
_ACCEPT_TIME = 0.05
_LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is served at a socket.

    `certificate` is the file of the certificates and that of the key, for HTTPS. `X-Forwarded-*` is believed only from
    `trusted_proxies`. `prefix` is the path under which a browser sees the app.
    """

    listening: socket.socket
    app: ASGIApp
    certificate: tuple[Path, Path] | None = None
    trusted_proxies: Sequence[str] = ()
    prefix: str = ""


class Server:
    """Serves sites. `stop` may be called at any time, within the event loop."""

    def __init__(
        self, sites: Sequence[Site], *, idle: float | None, grace: float, limits: Limits | None = None
    ) -> None:
        """End after `idle` seconds without a request; None: never. Requests have `grace` seconds left after `stop`.

        Raises `WatcherError` if a certificate cannot be used.
        """
        self._idle, self._grace, self._limits = idle, grace, limits or Limits()
        self._sites = [(site, _certificates(site)) for site in sites]
        self._stopped = asyncio.Event()
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # below, it reports each malformed request

    def stop(self) -> None:
        """Accept no more connections, and let `run` return once the requests are answered."""
        self._stopped.set()

    async def run(self) -> None:
        """Answer requests until the end."""
        current_default_thread_limiter().total_tokens = _THREADS
        _allow_many_descriptors()
        opened = [await self._open(site, certificates) for site, certificates in self._sites]
        connections = [each for each, _server in opened]
        is_idle = await self._until_idle(connections)
        for each, server in opened:
            server.close()
            each.end(at_once=not is_idle)
        if is_idle:
            await asyncio.sleep(_ACCEPT_TIME)  # connections that were accepted just now are answered
        await _until_closed(connections, self._grace)

    async def _open(self, site: Site, certificates: ssl.SSLContext | None) -> tuple[Connections, asyncio.Server]:
        connections = Connections(self._limits)
        config = Config(
            _WithPrefix(site.app, site.prefix),
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=bool(site.trusted_proxies),
            forwarded_allow_ips=list(site.trusted_proxies),
            timeout_keep_alive=self._limits.keep_alive,
            h11_max_incomplete_event_size=self._limits.head,
        )
        config.load()
        server = await asyncio.get_running_loop().create_server(
            lambda: LimitedProtocol(config=config, server_state=connections, app_state={}),
            sock=site.listening,
            ssl=certificates,
            ssl_handshake_timeout=_HANDSHAKE_TIME if certificates else None,
        )
        return connections, server

    async def _until_idle(self, connections: Sequence[Connections]) -> bool:
        """Return True if nobody has asked for long enough, and False if `stop` was called."""
        loop = asyncio.get_running_loop()
        while not self._stopped.is_set():
            left = None
            if self._idle is not None:
                left = max(each.last_used_at for each in connections) + self._idle - loop.time()
                if left <= 0 and all(each.closed.is_set() for each in connections):
                    return True
                left = left if left > 0 else _LOOK_EVERY
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), left)
        return False


def _certificates(site: Site) -> ssl.SSLContext | None:
    if site.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = site.certificate
    try:
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        reason = os_error_text(error)
        text = _(
            "web.tls_cert: {certificate} cannot be used with {key}: {reason}",
            certificate=certificate,
            key=key,
            reason=reason,
        )
        raise WatcherError(text) from None
    return context


async def _until_closed(connections: Sequence[Connections], grace: float) -> None:
    """Wait until the connections are closed, and close those that are left after `grace` seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(each.closed.wait() for each in connections)), grace)
    for each in connections:
        each.abort()


def _allow_many_descriptors() -> None:
    """Let connections that are in their TLS handshake, which are not counted yet, not use up all descriptors."""
    with suppress(OSError, ValueError):  # a sandbox may forbid it
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MAX_DESCRIPTORS)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _WithPrefix:
    """Tells the app under which path it is seen. Takes requests with that path and without: some proxies remove it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix, path = self._prefix, scope["path"]
        if prefix:
            if path != prefix and not path.startswith(f"{prefix}/"):
                path = prefix + path
            scope = {**scope, "root_path": prefix, "path": path}
        await self._app(scope, receive, send)


def prefix_of(url: str) -> str:
    """Return the path of the page's address, such as "/watcher"; empty if it has none."""
    return urlsplit(url).path.rstrip("/")
