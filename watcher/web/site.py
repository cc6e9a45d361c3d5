"""The page at its address: the app, its certificate, its proxies, and the health pages beside it."""

import socket

from watcher.web.app import create_app
from watcher.web.context import WebContext
from watcher.web.health import HealthPages, WithHealthPages
from watcher.web.server import Site, prefix_of


def site_of_page(listening: socket.socket, context: WebContext, health: HealthPages) -> Site:
    """Return the page as it is configured."""
    web = context.settings.web
    app = create_app(context)
    return Site(
        listening=listening,
        app=WithHealthPages(app, health) if context.settings.health.token else app,
        certificate=(web.tls_cert, web.tls_key) if web.tls_cert and web.tls_key else None,
        trusted_proxies=web.trusted_proxies,
        prefix=prefix_of(web.url),
    )
