"""`watcher run`: the daemon."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import FrameType
from typing import Literal

import click

from watcher.app import open_app
from watcher.cli.context import load_settings
from watcher.cli.options import CONFIG
from watcher.daemon.daemon import Daemon
from watcher.daemon.sd_notify import ServiceManager
from watcher.delivery.sender_process import SenderProcess
from watcher.errors import SettingsFaults, StoreUnusable
from watcher.monitoring import logs
from watcher.store import Busy


@click.command("run")
@CONFIG
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@click.option("--log-format", type=click.Choice(["console", "json"]), default="console")
def run_command(config: Path | None, log_level: str, log_format: Literal["console", "json"]) -> None:
    """Keeps watch: reads every account on its schedule and delivers alerts.

    SIGTERM ends it cleanly, SIGHUP rereads the configuration (with a faulty one it goes on with the old).
    """
    logs.configure(level=log_level, log_format=log_format, environ=os.environ)
    settings = load_settings(config)
    manager = ServiceManager.from_environ(os.environ)
    signals = _listen_for(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    with ExitStack() as stack:
        try:
            app = stack.enter_context(open_app(settings, notifier=stack.enter_context(closing(SenderProcess()))))
            if not app.store.shared:
                stack.enter_context(app.store.locks.acquire("daemon"))
        except StoreUnusable as error:
            click.echo(f"watcher: {error}", err=True)
            sys.exit(2)
        except Busy:
            click.echo(
                f"watcher: another `watcher run` already works on {app.store.display_name}; one is enough", err=True
            )
            sys.exit(1)
        daemon = Daemon(app, manager)
        daemon.start()
        manager.ready()
        while next(signals) == signal.SIGHUP:
            manager.reloading()
            _reload(daemon, config)
            manager.ready()
        manager.stopping()
        daemon.stop()
    logging.shutdown()
    # A check may still wait for a portal in its thread. Do not wait for it: the next start repeats it.
    os._exit(0)


def _listen_for(*numbers: signal.Signals) -> Iterator[int]:
    """Return an iterator over these signals from now on, in order of arrival.

    It uses Python's wakeup descriptor, which is written to immediately. A Python handler waits for the main thread, and
    a signal that arrives just as that thread starts to wait would not wake it.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.fileno())
    for number in numbers:
        signal.signal(number, _ignore)
    return _receive(receiver, sender)


def _receive(receiver: socket.socket, sender: socket.socket) -> Iterator[int]:
    with receiver, sender:
        while True:
            yield from receiver.recv(16)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. Python writes to the wakeup descriptor only for signals that have a handler."""


def _reload(daemon: Daemon, config: Path | None) -> None:
    try:
        daemon.reconfigure(load_settings(config))
    except SettingsFaults as faults:
        for line in faults.faults:
            click.echo(line, err=True)
        click.echo("watcher: the configuration was not taken; going on with the old one", err=True)
