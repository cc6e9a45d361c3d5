"""Sites that a server of the page serves in a thread, and a client for them."""

import asyncio
import http.client
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from starlette.types import ASGIApp

from watcher.web.protocol import Limits
from watcher.web.server import Server, Site

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Client:
    """An HTTP client for a server on loopback."""

    port: int

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read().decode())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection((LOOPBACK, self.port), timeout=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Client):
    """A client for a server in a thread. `wait` returns once it has ended."""

    stop: Callable[[], None]
    wait: Callable[[], None]


def listening_socket() -> socket.socket:
    return socket.create_server((LOOPBACK, 0))


@contextmanager
def serving(
    *sites: Callable[[socket.socket], Site], idle: float | None = None, grace: float = 3.0, limits: Limits | None = None
) -> Iterator[Served]:
    """Serve each site at an address of its own. The client is for the first one."""
    sockets = [listening_socket() for _ in sites]
    started, stops = Event(), list[Callable[[], None]]()

    async def serve() -> None:
        server = Server(
            [site(each.dup()) for site, each in zip(sites, sockets, strict=True)], idle=idle, grace=grace, limits=limits
        )
        loop = asyncio.get_running_loop()
        stops.append(lambda: _stop(loop, server))
        loop.call_soon(started.set)
        await server.run()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    try:
        yield Served(sockets[0].getsockname()[1], stop=stops[0], wait=lambda: thread.join(20))
    finally:
        stops[0]()
        thread.join(20)
        for each in sockets:
            each.close()
        assert not thread.is_alive()


def _stop(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(server.stop)


def plain(app: ASGIApp, *, trusted_proxies: Sequence[str] = (), prefix: str = "") -> Callable[[socket.socket], Site]:
    """Return a site without a certificate."""
    return lambda listening: Site(listening=listening, app=app, trusted_proxies=trusted_proxies, prefix=prefix)
