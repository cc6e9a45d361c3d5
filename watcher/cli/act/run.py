"""`watcher run`: the daemon."""

import logging
import os
import signal
import socket
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from types import FrameType
from typing import Literal

import click

from watcher.app import App, open_app
from watcher.cli.context import load_settings
from watcher.cli.options import CONFIG
from watcher.cli.terminal.unmoved import mention_unmoved_database
from watcher.context.opening import database_file
from watcher.daemon.daemon import Daemon
from watcher.daemon.sd_notify import ServiceManager
from watcher.delivery.sender_process import SenderProcess
from watcher.errors import SettingsFaults, StoreLost, StoreUnusable
from watcher.monitoring import logs
from watcher.store import Busy
from watcher.store.database.daemon_lock import daemon_holds, hold_daemon_lock


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
    signals = _Signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    with ExitStack() as stack:
        try:
            _refuse_second_daemon(database_file(settings))
            app = stack.enter_context(open_app(settings, notifier=stack.enter_context(closing(SenderProcess()))))
            if not app.store.shared:
                stack.enter_context(hold_daemon_lock(app.store.locks, app.store.file))
            mention_unmoved_database(settings, config)
        except StoreUnusable as error:
            click.echo(f"watcher: {error}", err=True)
            sys.exit(2)
        except Busy:
            click.echo(
                f"watcher: another `watcher run` already works on {database_file(settings)}; one is enough", err=True
            )
            sys.exit(1)
        daemon = Daemon(app, manager, on_lost=signals.end)
        daemon.start()
        manager.ready()
        while signals.next() == signal.SIGHUP:
            manager.reloading()
            _reload(daemon, config)
            manager.ready()
        manager.stopping()
        daemon.stop()
        if daemon.lost is not None:
            click.echo(f"watcher: {daemon.lost}", err=True)
            _keep_lost_database(app, daemon.lost)
            logging.shutdown()
            os._exit(1)
    logging.shutdown()
    # A check may still wait for a portal in its thread. Do not wait for it: the next start repeats it.
    os._exit(0)


def _keep_lost_database(app: App, lost: StoreLost) -> None:
    try:
        done = app.keep_lost_database(lost)
    except StoreUnusable as error:
        done = f"what it held cannot be kept: {error}"
    if done is not None:
        click.echo(f"watcher: {done}", err=True)


def _refuse_second_daemon(database: Path | None) -> None:
    """Raise `Busy` before anything is opened or created: the other daemon may have lost its files."""
    if database is not None and daemon_holds(database):
        raise Busy(database)


class _Signals:
    """Signals in order of arrival.

    It uses Python's wakeup descriptor, which is written to immediately. A Python handler waits for the main thread, and
    a signal that arrives just as that thread starts to wait would not wake it.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        """Receive these signals from now on."""
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno())
        for number in numbers:
            signal.signal(number, _ignore)

    def next(self) -> int:
        """Wait for the next signal. Return its number, or 0 after `end`."""
        return self._receiver.recv(1)[0]

    def end(self) -> None:
        """Let `next` return 0. Called from any thread."""
        self._sender.send(b"\0")


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. Python writes to the wakeup descriptor only for signals that have a handler."""


def _reload(daemon: Daemon, config: Path | None) -> None:
    try:
        daemon.reconfigure(load_settings(config))
    except SettingsFaults as faults:
        for line in faults.faults:
            click.echo(line, err=True)
        click.echo("watcher: the configuration was not taken; going on with the old one", err=True)
