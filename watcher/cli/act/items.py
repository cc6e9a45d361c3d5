"""`watcher done`, `reopen`, `due`: what the user says about a pending item."""

import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from watcher.cli.context import open_context
from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import print_error, print_line
from watcher.model.case import ItemState
from watcher.model.ledger import TrackedItem

_MAX_DISTANCE = timedelta(days=3660)
"""No letter asks for an answer in more than ten years, so a later date is a typo."""


def _parse_day(_context: click.Context, _parameter: click.Parameter, value: str) -> date:
    """Parse a date, YYYY-MM-DD, within ten years of today."""
    try:
        day = date.fromisoformat(value) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else None
    except ValueError:
        day = None
    if day is None:
        raise click.BadParameter(f"{value} is no day of the calendar; write it as YYYY-MM-DD, such as 2026-12-31")
    if abs(day - datetime.now(UTC).date()) > _MAX_DISTANCE:
        raise click.BadParameter(f"{value} is more than ten years away; is the year right?")
    return day


ITEM = click.argument("number", type=click.IntRange(min=1), metavar="ITEM")


@click.command("done")
@CONFIG
@ITEM
def done_command(config: Path | None, number: int) -> None:
    """Says that ITEM has been dealt with: no more reminders, no escalation. `watcher pending` shows the numbers."""
    with open_context(config) as app:
        item = _existing(app.store.ledger.set_done(number), number)
        app.store.outbox.acknowledge_subject(item.account, item.case_number, item.item.key, app.clock.now())
    if item.state is ItemState.DONE:
        print_line(f"{_describe(item)} is done: no more reminders. `watcher reopen {number}` takes that back.")
    else:
        print_line(f"{_describe(item)} was {item.state.value} already; there is nothing left to remind of.")


@click.command("reopen")
@CONFIG
@ITEM
def reopen_command(config: Path | None, number: int) -> None:
    """Takes `watcher done ITEM` back: reminders go on."""
    with open_context(config) as app:
        item = _existing(app.store.ledger.reopen(number), number)
    if item.state is not ItemState.OPEN:
        print_error(
            f"{_describe(item)} is {item.state.value}: that is the portal's word, and only the portal can reopen it."
        )
        sys.exit(1)
    print_line(f"{_describe(item)} is open.")


@click.command("due")
@CONFIG
@ITEM
@click.argument("day", callback=_parse_day, metavar="DATE")
def due_command(config: Path | None, number: int, day: date) -> None:
    """Sets the due DATE (YYYY-MM-DD) that stands on the paper letter about ITEM; from now on it counts."""
    with open_context(config) as app:
        item = _existing(app.store.ledger.set_due(number, day), number)
        today = app.clock.now().astimezone(app.settings.timezone).date()
    print_line(f"{_describe(item)} is due on {day}, as the letter says.")
    if day < today:
        print_error(f"{day} is past; is that the date on the letter?")
    if item.state is not ItemState.OPEN:
        print_line(f"It is {item.state.value}, so there are no reminders.")


def _existing(item: TrackedItem | None, number: int) -> TrackedItem:
    if item is None:
        raise click.BadParameter(f"there is no item {number}; `watcher pending` lists them", param_hint="ITEM")
    return item


def _describe(item: TrackedItem) -> str:
    return f"Item {item.id} ({item.case_number}: {item.item.title})"
