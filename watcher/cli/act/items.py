"""`watcher done`, `reopen`, `due`: what the user says about a pending item."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from watcher.cli.context import open_context
from watcher.cli.names import parse_number
from watcher.cli.options import CONFIG, parse_date
from watcher.cli.terminal.output import print_error, print_line
from watcher.cli.terminal.prompts import AskedArgument, confirm
from watcher.language.due_estimates import runs_until
from watcher.messages import _, mark
from watcher.model.case import ItemKind, ItemState
from watcher.model.ledger import TrackedItem
from watcher.portals import find
from watcher.settings import Settings

_ALREADY = {
    ItemState.ANSWERED: mark("{item} was already answered, so there are no reminders."),
    ItemState.CLOSED: mark("{item} was already closed, so there are no reminders."),
}
_NOT_REOPENED = {
    ItemState.ANSWERED: mark("{item} is answered according to the agency's website, so it cannot be reopened here."),
    ItemState.CLOSED: mark("{item} is closed according to the agency's website, so it cannot be reopened here."),
}
_WITHOUT_REMINDERS = {
    ItemState.DONE: mark("It is done, so there are no reminders."),
    ItemState.ANSWERED: mark("It is answered, so there are no reminders."),
    ItemState.CLOSED: mark("It is closed, so there are no reminders."),
}
_DUE, _MOVED = mark("{item} is due on {day} (date from your letter)."), mark("{item} is on {day}.")
_LETTER_PASSED = mark("{day} has passed. Check the date on your letter.")
_PASSED = mark("{day} has passed. Check the year.")
_MAX_DISTANCE = timedelta(days=3660)
"""No letter asks for an answer in more than ten years, so a later date is a typo."""


def parse_day(_context: click.Context, _parameter: click.Parameter, value: str) -> date:
    """Parse a date, YYYY-MM-DD, within ten years of today."""
    day = parse_date(value)
    if abs(day - datetime.now(UTC).date()) > _MAX_DISTANCE:
        raise click.BadParameter(_("{day} is more than ten years away. Check the year.", day=value))
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
        item = _existing(app.store.ledger.set_done(number), number)
        app.store.outbox.acknowledge_subject(item.account, item.case_number, item.item.key, app.clock.now())
    if item.state is ItemState.DONE:
        print_line(
            _(
                "{item} is done: no more reminders. Undo with `watcher reopen {number}`.",
                item=_describe(item),
                number=number,
            )
        )
    else:
        print_line(_(_ALREADY[item.state], item=_describe(item)))


@click.command("reopen")
@CONFIG
@ITEM
def reopen_command(config: Path | None, number: int) -> None:
    """Mark a done ITEM as open again, with its reminders."""
    with open_context(config) as app:
        item = _existing(app.store.ledger.reopen(number), number)
    if item.state is not ItemState.OPEN:
        print_error(_(_NOT_REOPENED[item.state], item=_describe(item)))
        sys.exit(1)
    print_line(_("{item} is open.", item=_describe(item)))


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
        is_reminder = before.item.kind is ItemKind.REMINDER
        if not is_reminder:
            _check_against_agency(before, day, _agency(app.settings, before.account), yes=yes)
        item = _existing(app.store.ledger.set_due(number, day), number)
        today = app.clock.now().astimezone(app.settings.timezone).date()
    print_line(_(_MOVED if is_reminder else _DUE, item=_describe(item), day=day))
    if day < today:
        print_error(_(_PASSED if is_reminder else _LETTER_PASSED, day=day))
    if item.state is not ItemState.OPEN:
        print_line(_(_WITHOUT_REMINDERS[item.state]))


def _check_against_agency(item: TrackedItem, day: date, agency: str, *, yes: bool) -> None:
    """Warn about a date that is later than another one known of the item. Ask if that is the agency's."""
    stated, estimate = item.item.due_on, item.item.due_by_estimate
    if stated is not None and day > stated:
        print_error(_("{agency} shows an earlier date: {date}. The earlier one is safer.", agency=agency, date=stated))
        if yes:
            return
        if not sys.stdin.isatty():
            raise click.UsageError(
                _("Check the date on your letter. If it says {date}, add --yes. Nothing was changed.", date=day)
            )
        if not confirm(_("Does your letter say {date}?", date=day), default=False):
            print_error(_("Nothing was changed."))
            sys.exit(1)
    elif stated is None and estimate is not None and day > runs_until(item.item.kind, estimate):
        print_error(
            _(
                "{day} is later than the latest possible date, {date} (estimate). Check the date on your letter.",
                day=day,
                date=estimate,
            )
        )


def _agency(settings: Settings, account: str) -> str:
    configured = settings.accounts.get(account)
    return find(configured.portal).agency_of(configured) if configured else _("The agency")


def _existing(item: TrackedItem | None, number: int) -> TrackedItem:
    if item is None:
        problem = _("There is no item {number}. `watcher pending` lists them.", number=number)
        raise click.BadParameter(problem, param_hint="ITEM")
    return item


def _describe(item: TrackedItem) -> str:
    return _("Item {number} ({case}: {title})", number=item.id, case=item.case_number, title=item.item.title)
