"""`watcher done`, `reopen`, `due`: what the user says of a pending item."""

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

_FARTHEST = timedelta(days=3660)
"""No letter asks for an answer in more than ten years; a date beyond is a slip of the finger."""


def _day(_context: click.Context, _parameter: click.Parameter, value: str) -> date:
    """A day of the calendar, YYYY-MM-DD, within ten years of today."""
    try:
        day = date.fromisoformat(value) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else None
    except ValueError:
        day = None
    if day is None:
        raise click.BadParameter(f"{value} is no day of the calendar; write it as YYYY-MM-DD, such as 2026-12-31")
    if abs(day - datetime.now(UTC).date()) > _FARTHEST:
        raise click.BadParameter(f"{value} is more than ten years away; is the year right?")
    return day


ITEM = click.argument("item", type=click.IntRange(min=1))


@click.command("done")
@CONFIG
@ITEM
def done_command(config: Path | None, item: int) -> None:
    """Says that ITEM has been dealt with: no more reminders, no escalation. `watcher pending` shows the numbers."""
    with open_context(config) as app:
        found = _known(app.store.ledger.set_done(item), item)
        app.store.outbox.acknowledge_subject(found.account, found.case_number, found.item.key, app.clock.now())
    if found.state is ItemState.DONE:
        print_line(f"{_what(found)} is done: no more reminders. `watcher reopen {item}` takes that back.")
    else:
        print_line(f"{_what(found)} was {found.state.value} already; there is nothing left to remind of.")


@click.command("reopen")
@CONFIG
@ITEM
def reopen_command(config: Path | None, item: int) -> None:
    """Takes `watcher done ITEM` back: reminders go on."""
    with open_context(config) as app:
        found = _known(app.store.ledger.reopen(item), item)
    if found.state is not ItemState.OPEN:
        print_error(
            f"{_what(found)} is {found.state.value}: that is the portal's word, and only the portal can reopen it."
        )
        sys.exit(1)
    print_line(f"{_what(found)} is open.")


@click.command("due")
@CONFIG
@ITEM
@click.argument("day", callback=_day, metavar="DATE")
def due_command(config: Path | None, item: int, day: date) -> None:
    """Sets the due DATE (YYYY-MM-DD) that stands on the paper letter about ITEM; from now on it counts."""
    with open_context(config) as app:
        found = _known(app.store.ledger.set_due(item, day), item)
        today = app.clock.now().astimezone(app.settings.timezone).date()
    print_line(f"{_what(found)} is due on {day}, as the letter says.")
    if day < today:
        print_error(f"{day} is past; is that the date on the letter?")
    if found.state is not ItemState.OPEN:
        print_line(f"It is {found.state.value}, so there are no reminders.")


def _known(found: TrackedItem | None, item: int) -> TrackedItem:
    if found is None:
        raise click.BadParameter(f"there is no item {item}; `watcher pending` lists them", param_hint="ITEM")
    return found


def _what(found: TrackedItem) -> str:
    return f"Item {found.id} ({found.case_number}: {found.item.title})"
