"""The page without a daemon, until this process is told to end."""

import asyncio
import signal
import socket

from watcher.web.context import WebContext
from watcher.web.health import HealthPages
from watcher.web.server import Server
from watcher.web.service import CurrentService
from watcher.web.site import site_of_page

_GRACE = 3.0


class _NoDaemon:
    async def current(self) -> CurrentService | None:
        """Return None: there is no daemon."""
        return None


def serve_alone(listening: socket.socket, context: WebContext) -> None:
    """Serve the page until SIGINT or SIGTERM. Raises `WatcherError` if its certificate cannot be used."""
    asyncio.run(_serve(listening, context))


async def _serve(listening: socket.socket, context: WebContext) -> None:
    token = context.settings.health.token
    health = HealthPages(_NoDaemon(), token.get_secret_value() if token else None)
    server = Server([site_of_page(listening, context, health)], idle=None, grace=_GRACE)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    await server.run()
