"""The start of nearly every command: load the configuration, set up logs, open the database."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from watcher.context.opening import read_settings, use_configured_language
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
    """Load the configuration and redact its secrets from all logs from now on. Faults end with exit status 2."""
    use_configured_language(config, os.environ)
    settings = read_settings(config, os.environ)
    register_secrets(secrets_in(settings))
    return settings


def read_only_context(config: Path | None) -> AbstractContextManager[ReadOnlyContext]:
    """Open the database read-only, for commands that only show something. Exit with status 2 if that fails."""
    return _open(open_read_only, config)


def open_context(config: Path | None) -> AbstractContextManager["App"]:
    """Open configuration and database with nothing running. Exit with status 2 if the database is unusable."""
    from watcher.app import open_app  # noqa: PLC0415 - read-only commands start faster without it

    return _open(open_app, config)


@contextmanager
def refusals() -> Iterator[None]:
    """Exit with status 1 and the reason if an action is refused, with status 2 if it is not possible at all."""
    from watcher.actions import NotPossible, Refused  # noqa: PLC0415 - read-only commands start faster without it

    try:
        yield
    except NotPossible as refused:
        raise click.UsageError(str(refused)) from None
    except Refused as refused:
        raise click.ClickException(str(refused)) from None


@contextmanager
def _open(opener: Callable[[Settings], AbstractContextManager[_T]], config: Path | None) -> Iterator[_T]:
    logs.configure(level="warning", environ=os.environ)
    with ExitStack() as stack:
        try:
            context = stack.enter_context(opener(load_settings(config)))
        except StoreUnusable as error:
            click.echo(f"watcher: {error}", err=True)
            sys.exit(2)
        yield context
