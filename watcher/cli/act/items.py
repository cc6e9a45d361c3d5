"""`watcher done`, `reopen`, `due`: what the user says about a pending item."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from watcher.actions import Refused, items
from watcher.cli.context import open_context
from watcher.cli.names import parse_number
from watcher.cli.options import CONFIG, parse_date
from watcher.cli.terminal.output import print_error, print_line
from watcher.cli.terminal.prompts import AskedArgument, confirm
from watcher.messages import _, mark
from watcher.model.case import ItemState
from watcher.model.ledger import TrackedItem


def parse_day(_context: click.Context, _parameter: click.Parameter, value: str) -> date:
    """Parse a date, YYYY-MM-DD, within ten years of today."""
    day = parse_date(value)
    try:
        items.check_distance(day, datetime.now(UTC).date())
    except Refused as refused:
        raise click.BadParameter(str(refused)) from None
    return day


_PARSE_ITEM = parse_number(mark("'{typed}' is not an item number. `watcher pending` lists them."))
ITEM = click.argument("number", callback=_PARSE_ITEM, metavar="ITEM")


@click.command("done")
@CONFIG
@ITEM
def done_command(config: Path | None, number: int) -> None:
    """Mark ITEM as done: no more reminders, no escalation.

    `watcher pending` shows the item numbers. Example: watcher done 3
    """
    with open_context(config) as app:
        item = _existing(items.set_done(app, number), number)
    text = items.done_text(item)
    if item.state is ItemState.DONE:
        text = f"{text} {_('Undo with `watcher reopen {number}`.', number=number)}"
    print_line(text)


@click.command("reopen")
@CONFIG
@ITEM
def reopen_command(config: Path | None, number: int) -> None:
    """Mark a done ITEM as open again, with its reminders."""
    with open_context(config) as app:
        item = _existing(app.store.ledger.reopen(number), number)
    try:
        print_line(items.reopened_text(item))
    except Refused as refused:
        print_error(str(refused))
        sys.exit(1)


@click.command("due")
@CONFIG
@ITEM
@click.argument(
    "day", cls=AskedArgument, question="Date on your letter (YYYY-MM-DD)", callback=parse_day, metavar="DATE"
)
@click.option("--yes", is_flag=True, help="Do not ask if the agency shows an earlier date.")
def due_command(config: Path | None, number: int, day: date, *, yes: bool) -> None:
    """Enter the due DATE printed on your letter about ITEM. It replaces any computed date.

    If the agency shows an earlier date, you are asked first.

    Example: watcher due 3 2026-12-31
    """
    with open_context(config) as app:
        before = _existing(app.store.ledger.item(number), number)
        if warning := items.earlier_date(app, before, day):
            _confirm(warning, day, yes=yes)
        elif warning := items.later_than_estimate(before, day):
            print_error(warning)
        item = _existing(app.store.ledger.set_due(number, day), number)
        today = app.clock.now().astimezone(app.settings.timezone).date()
    text, passed, without = items.due_texts(item, day, today)
    print_line(text)
    if passed:
        print_error(passed)
    if without:
        print_line(without)


def _confirm(warning: str, day: date, *, yes: bool) -> None:
    """Print the warning, and ask whether the letter says so, unless that was said already."""
    print_error(warning)
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            _("Check the date on your letter. If it says {date}, add --yes. Nothing was changed.", date=day)
        )
    if not confirm(_("Does your letter say {date}?", date=day), default=False):
        print_error(_("Nothing was changed."))
        sys.exit(1)


def _existing(item: TrackedItem | None, number: int) -> TrackedItem:
    if item is None:
        problem = _("There is no item {number}. `watcher pending` lists them.", number=number)
        raise click.BadParameter(problem, param_hint="ITEM")
    return item
