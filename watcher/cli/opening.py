"""What nearly every command begins with: the configuration read, logs set up, the database open."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from watcher import logs
from watcher.app import App, open_app, read_settings, secrets_in
from watcher.errors import StoreUnusable
from watcher.redaction import register_secrets
from watcher.settings import Settings


def settings_of(config: Path | None) -> Settings:
    """The configuration; its secrets are kept out of every log from here on. A wrong one: exit status 2."""
    settings = read_settings(config, os.environ)
    register_secrets(secrets_in(settings))
    return settings


@contextmanager
def opened(config: Path | None) -> Iterator[App]:
    """The program at rest: configuration and database, nothing running. A database that cannot be opened: exit 2."""
    logs.configure(level="warning", environ=os.environ)
    with ExitStack() as stack:
        try:
            app = stack.enter_context(open_app(settings_of(config)))
        except StoreUnusable as error:
            click.echo(f"watcher: {error}", err=True)
            sys.exit(2)
        yield app
