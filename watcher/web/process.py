"""The page's process: a child of the supervisor, which passes the listening sockets on to it.

It exchanges these messages with the supervisor, by the key "is":

    start     the configuration, and how to serve, see `_Start`; the first message
    status    asks for the state of the service, and the answer to it
    wake      something was written that a worker must see
    alive     asks for a sign of life, and the answer to it
    upgraded  this process is of another version than the supervisor, which must be executed again
    stop      answer the requests that have arrived, and end; the end of the channel means the same
"""

import asyncio
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from watcher import __version__
from watcher.clock import Clock, SystemClock
from watcher.errors import WatcherError
from watcher.messages import use_language
from watcher.monitoring import plain_logs
from watcher.processes.channel import Channel, Message
from watcher.processes.child import channel_to_parent, passed_sockets
from watcher.web.health import HealthPages
from watcher.web.server import Server, Site
from watcher.web.service import Supervisor

_WEB = "web.listen"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What to serve. `sockets` are the keys of the addresses, in the order of the sockets that were passed on."""

    settings: str
    token: str | None
    language: str
    config: str | None
    log_level: str
    log_format: Literal["console", "json"]
    sockets: tuple[str, ...]
    idle: float
    grace: float

    @classmethod
    def from_message(cls, message: Message) -> "_Start":
        return cls(**{field.name: message[field.name] for field in fields(cls)})


class PageProcess:
    """Serves until the supervisor says so, or nobody asks."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        """Wait for the first message. Raises `EOFError` if the supervisor has ended, or must be executed again."""
        self._channel, self._clock = channel, clock
        message = channel.receive() or {}
        if message["version"] != __version__:  # nothing else in it can be trusted
            channel.send({"is": "upgraded"})
            raise EOFError
        self._start = _Start.from_message(message)
        use_language(self._start.language)
        self._supervisor = Supervisor(channel, clock, os.getppid())

    def run(self) -> int:
        """Serve. Return the exit status. What a page waits for in its thread may still go on."""
        try:
            asyncio.new_event_loop().run_until_complete(self._serve())
        except WatcherError as error:
            _log.error("page_unavailable", extra={"reason": str(error)})
            return 1
        return 0

    async def _serve(self) -> None:
        sockets = dict(zip(self._start.sockets, passed_sockets(len(self._start.sockets)), strict=True))
        server = Server(list(self._sites(sockets)), idle=self._start.idle, grace=self._start.grace)
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._take_messages, server)
        await server.run()

    def _sites(self, sockets: Mapping[str, socket.socket]) -> Iterator[Site]:
        start = self._start
        health = HealthPages(self._supervisor, start.token)
        if _WEB in sockets:
            # 20 MiB that the health pages do not need
            from watcher.context.accepted_settings import unpacked  # noqa: PLC0415
            from watcher.monitoring import logs  # noqa: PLC0415
            from watcher.web.context import WebContext  # noqa: PLC0415
            from watcher.web.site import site_of_page  # noqa: PLC0415

            logs.configure(level=start.log_level, log_format=start.log_format, environ=os.environ)
            config = None if start.config is None else Path(start.config)
            settings, wake = unpacked(start.settings), self._supervisor.wake
            context = WebContext(settings=settings, config=config, clock=self._clock, wake=wake)
            yield site_of_page(sockets[_WEB], context, health)
        else:
            plain_logs.configure(level=start.log_level, log_format=start.log_format)
        yield from (Site(listening=listening, app=health) for key, listening in sockets.items() if key != _WEB)

    def _take_messages(self, server: Server) -> None:
        try:
            while (message := self._channel.receive(0)) is not None:
                if message["is"] == "status":
                    self._supervisor.answered(message)
                elif message["is"] == "alive":
                    self._channel.send({"is": "alive"})
                elif message["is"] == "stop":
                    server.stop()
        except (EOFError, OSError):  # the supervisor has ended
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            server.stop()


def main(clock: Clock | None = None) -> None:
    """Serve as a child of the supervisor. `clock` replaces the machine's."""
    try:
        status = PageProcess(channel_to_parent(), clock or SystemClock()).run()
    except EOFError:
        status = 0
    os._exit(status)  # without waiting for the threads
