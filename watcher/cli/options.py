"""Options shared by commands."""

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file. Default: $WATCHER_CONFIG, else ./watcher.toml, else the usual folders.",
)
OWN_CONFIG = click.option(
    "--config", "own_config", type=click.Path(path_type=Path, dir_okay=False), help="The configuration file."
)
"""The same option for a subcommand, which overrides that of its group."""

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
