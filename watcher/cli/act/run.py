"""`watcher run`: the daemon."""

import json
import os
import sys
from pathlib import Path

import click

from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import command_name
from watcher.processes.child import command, environment

_DAEMON = "watcher.daemon"


@click.command("run")
@CONFIG
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@click.option("--log-format", type=click.Choice(["console", "json"]), default="console")
@click.option("--sign-in-link", is_flag=True, help="First print a link to the page, as long as no device is signed in.")
def run_command(config: Path | None, log_level: str, log_format: str, *, sign_in_link: bool) -> None:
    """Keep checking and send alerts until stopped.

    SIGTERM stops it. SIGHUP reads the configuration again; if that has errors, the previous one stays in use.
    """
    if sign_in_link:
        _print_sign_in_link(config)
    options = {
        "config": None if config is None else str(config),
        "log_level": log_level,
        "log_format": log_format,
        "command": command_name(),
    }
    for stream in range(3):
        os.set_inheritable(stream, True)  # those that were closed and are the null device now
    sys.stdout.flush()
    # This process continues as the supervisor, without the libraries of the command line.
    program = command(_DAEMON, json.dumps(options))
    os.execve(program[0], program, environment())  # noqa: S606 - there is no shell


def _print_sign_in_link(config: Path | None) -> None:
    from watcher.cli.context import load_settings, open_context  # noqa: PLC0415 - the daemon loads them in its worker
    from watcher.cli.show.sign_in_link import print_first_link  # noqa: PLC0415

    if load_settings(config).web.listen:
        with open_context(config) as app:
            print_first_link(app)
