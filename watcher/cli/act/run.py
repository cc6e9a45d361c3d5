"""`watcher run`: the daemon."""

import json
import os
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
def run_command(config: Path | None, log_level: str, log_format: str) -> None:
    """Keep checking and send alerts until stopped.

    SIGTERM stops it. SIGHUP reads the configuration again; if that has errors, the previous one stays in use.
    """
    options = {
        "config": None if config is None else str(config),
        "log_level": log_level,
        "log_format": log_format,
        "command": command_name(),
    }
    for stream in range(3):
        os.set_inheritable(stream, True)  # those that were closed and are the null device now
    # This process continues as the supervisor, without the libraries of the command line.
    program = command(_DAEMON, json.dumps(options))
    os.execve(program[0], program, environment())  # noqa: S606 - there is no shell
