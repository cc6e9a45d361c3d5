"""What nearly every command begins with: the configuration read, logs set up, the database open."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from watcher.context.opening import read_settings
from watcher.context.read_only import ReadOnlyContext, open_read_only
from watcher.errors import StoreUnusable
from watcher.monitoring import logs
from watcher.privacy.redaction import register_secrets
from watcher.settings import Settings
from watcher.settings.derived import secrets_in

if TYPE_CHECKING:
    from watcher.app import App

_T = TypeVar("_T")


def load_settings(config: Path | None) -> Settings:
    """The configuration; its secrets are kept out of every log from here on. A wrong one: exit status 2."""
    settings = read_settings(config, os.environ)
    register_secrets(secrets_in(settings))
    return settings


def read_only_context(config: Path | None) -> AbstractContextManager[ReadOnlyContext]:
    """The books, for a command that only looks. A database that cannot be opened: exit status 2."""
    return _opened(open_read_only, config)


def open_context(config: Path | None) -> AbstractContextManager["App"]:
    """The program at rest: configuration and database, nothing running. A database that cannot be opened: exit 2."""
    from watcher.app import open_app  # noqa: PLC0415 - a command that only looks need not wait for all this

    return _opened(open_app, config)


@contextmanager
def _opened(opening: Callable[[Settings], AbstractContextManager[_T]], config: Path | None) -> Iterator[_T]:
    logs.configure(level="warning", environ=os.environ)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(opening(load_settings(config)))
        except StoreUnusable as error:
            click.echo(f"watcher: {error}", err=True)
            sys.exit(2)
        yield found
