"""HTTP/1.1 for clients that may be slow, silent, or many: uvicorn's protocol with deadlines and bounded connections.

Beyond `Limits.connections`, a new connection takes the place of one that waits for its client, so those who only hold
connections open stop nobody.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one address, in bytes and seconds.

    The head of a request must arrive within `head_time`, and a request with its answer must be over after
    `request_time`. A connection may wait for another request for `keep_alive`.
    """

    connections: int = 64
    head: int = 16 * 1024
    head_time: float = 10.0
    request_time: float = 180.0
    keep_alive: int = 15


class Connections(ServerState):
    """The open connections of one address, the oldest first.

    `last_used_at` is by the clock of the event loop. `closed` is set while there is no connection.
    """

    def __init__(self, limits: Limits) -> None:
        """Start without a connection."""
        super().__init__()
        self.limits = limits
        self._by_age: dict[LimitedProtocol, None] = {}
        self.last_used_at = asyncio.get_running_loop().time()
        self.are_ending = False
        self.closed = asyncio.Event()
        self.closed.set()

    def add(self, connection: "LimitedProtocol") -> None:
        """Note that a connection was accepted."""
        self._by_age[connection] = None
        self.closed.clear()

    def remove(self, connection: "LimitedProtocol") -> None:
        """Note that a connection was closed."""
        self._by_age.pop(connection, None)
        if not self._by_age:
            self.closed.set()

    def make_room(self) -> bool:
        """Close a connection that waits for its client, if there are too many. Return whether there is room."""
        if len(self._by_age) < self.limits.connections:
            return True
        waiting = next(_waiting(self._by_age), None)
        if waiting is None:
            return False
        self.remove(waiting)
        waiting.transport.abort()
        return True

    def end(self, *, at_once: bool) -> None:
        """Close each connection after its answer, and `at_once` those without a request."""
        self.are_ending = True
        if at_once:
            for connection in list(self._by_age):
                connection.shutdown()

    def abort(self) -> None:
        """Close all connections."""
        for connection in list(self._by_age):
            connection.transport.abort()


def _waiting(connections: Iterable["LimitedProtocol"]) -> Iterator["LimitedProtocol"]:
    """Yield the connections without a request, then those whose client does not send or take the rest of one."""
    connections = list(connections)
    yield from (each for each in connections if not each.has_request)
    yield from (each for each in connections if each.has_request and each.waits_for_client)


class LimitedProtocol(H11Protocol):
    """One connection."""

    server_state: Connections

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Start without a deadline."""
        super().__init__(*arguments, **options)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def has_request(self) -> bool:
        """Whether a request has begun that is not answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    @property
    def waits_for_client(self) -> bool:
        """Whether the client has to send the rest of its request, or to take the answer."""
        return self.cycle.more_body or self.flow.write_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, unless there are too many."""
        if not self.server_state.make_room():
            transport.abort()
            self.transport = transport
            return
        super().connection_made(transport)
        self.server_state.add(self)
        self._set_deadline(self.server_state.limits.head_time)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._set_deadline(None)
        self.server_state.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, by the deadline."""
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        before = self.cycle
        super().data_received(data)
        self._look(before)
        if self._timer is None:
            self._set_deadline(self.server_state.limits.head_time)  # the next request has begun to arrive

    def on_response_complete(self) -> None:
        """Let the connection wait for another request; one may have arrived already."""
        self._set_deadline(None)
        before = self.cycle
        super().on_response_complete()
        self._look(before)

    def _look(self, before: object) -> None:
        """Notice that a request has begun."""
        self.server_state.last_used_at = self.loop.time()
        if self.cycle is not before:
            self._set_deadline(self.server_state.limits.request_time)
            if self.server_state.are_ending:
                self.cycle.keep_alive = False

    def _set_deadline(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)
