"""Options shared by commands, and the dates in them."""

import re
from datetime import date
from pathlib import Path

import click

from watcher.messages import _

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


def parse_date(text: str) -> date:
    """Parse a date, YYYY-MM-DD. Raises BadParameter, which says how a date is written."""
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        day = None
    if day is None:
        raise click.BadParameter(_("'{typed}' is not a date. Use YYYY-MM-DD, such as 2026-12-31.", typed=text))
    return day
