"""Options shared by commands."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file; else $WATCHER_CONFIG, ./watcher.toml and the usual places.",
)
OWN_CONFIG = click.option(
    "--config", "own_config", type=click.Path(path_type=Path, dir_okay=False), help="The configuration file."
)
"""The same option for a subcommand, which overrides that of its group."""

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output, for programs.")
