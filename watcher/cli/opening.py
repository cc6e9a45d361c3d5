"""What nearly every command begins with: the configuration read, logs set up, the database open."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from watcher import logs
from watcher.app import App, open_app, read_settings
from watcher.errors import StoreUnusable
from watcher.settings import Settings


def settings_of(config: Path | None) -> Settings:
    """The configuration, every fault of it on standard error and exit status 2 where it is wrong."""
    settings = read_settings(config, os.environ)
    logs.configure(level="warning", environ=os.environ)
    return settings


@contextmanager
def opened(config: Path | None) -> Iterator[App]:
    """The program at rest: configuration and database, nothing running. A database that cannot be opened: exit 2."""
    with ExitStack() as stack:
        try:
            app = stack.enter_context(open_app(settings_of(config)))
        except StoreUnusable as error:
            click.echo(f"watcher: {error}", err=True)
            sys.exit(2)
        yield app
