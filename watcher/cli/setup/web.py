"""`watcher web`: a link that signs a device in to the page, and the page without the daemon."""

import os
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from watcher.cli.context import load_settings, open_context
from watcher.cli.groups import CommandGroup
from watcher.cli.options import CONFIG, JSON
from watcher.cli.show.sign_in_link import PAGE_IS_OFF, SignInLink, new_link, print_link
from watcher.cli.terminal.output import print_json, print_line
from watcher.clock.timestamps import utc_text
from watcher.messages import _
from watcher.monitoring import logs
from watcher.processes.listening import listening_socket
from watcher.settings import Settings
from watcher.settings.page_url import page_url


@click.group("web", cls=CommandGroup)
def web_command() -> None:
    """Sign devices in to the page, or show it without `watcher run`."""


@web_command.command("link")
@CONFIG
@JSON
@click.option("--person", metavar="NAME", help="Show only the cases of this person.")
@click.option("--read-only", is_flag=True, help="Do not let the device change anything.")
def web_link_command(config: Path | None, person: str | None, *, read_only: bool, as_json: bool) -> None:
    """Print a link, and on a terminal its QR code, that signs one device in to the page.

    The link works once, within ten minutes. Anybody who has it can use it.

    Example: watcher web link --person Maria --read-only
    """
    with open_context(config) as app:
        link = new_link(app, person=person, read_only=read_only)
    if as_json:
        print_json(_document(link))
    else:
        print_link(link)


@web_command.command("serve")
@CONFIG
def web_serve_command(config: Path | None) -> None:
    """Show the page without `watcher run`, until Ctrl-C.

    Nothing is checked meanwhile. `watcher run` shows the page itself.
    """
    settings = load_settings(config)
    if not settings.web.listen:
        raise click.UsageError(_(PAGE_IS_OFF))
    with closing(listening_socket("web.listen", settings.web.listen)) as listening:
        logs.configure(level="warning", environ=os.environ)
        print_line(_("The page is at {url}. Press Ctrl-C to end it.", url=page_url(settings.web)))
        serve_page(listening, settings, config)


def serve_page(listening: socket.socket, settings: Settings, config: Path | None) -> None:
    """Serve the page in this process until it is told to end."""
    from watcher.web.alone import serve_alone  # noqa: PLC0415 - other commands need no server
    from watcher.web.context import WebContext  # noqa: PLC0415

    serve_alone(listening, WebContext(settings=settings, config=config))


def _document(link: SignInLink) -> dict[str, Any]:
    return {
        "url": link.url,
        "expires_at": utc_text(link.expires_at),
        "person": link.person,
        "read_only": link.read_only,
    }
