"""`watcher note`, `remind`, `finish`, `watch`: what the user says about a case."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from shlex import quote

import click

from watcher.app import App
from watcher.cli.act.items import parse_day
from watcher.cli.case_argument import described_case, known_case
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import print_line
from watcher.cli.terminal.prompts import AskedArgument
from watcher.context.known_cases import KnownCase
from watcher.export.calendar_file import update_calendar_file
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, plural
from watcher.model.case import ItemKind, ItemState
from watcher.model.change import Change, ChangeKind, severity_of
from watcher.text.printable import clean

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MAX_NOTE_LENGTH = 1000
_MAX_REMINDER_LENGTH = 100
_CASE = click.argument("case")


@click.command("note")
@CONFIG
@_CASE
@click.argument("words", cls=AskedArgument, question="Note", nargs=-1, required=True, metavar="TEXT...")
def note_command(config: Path | None, case: str, words: tuple[str, ...]) -> None:
    """Add a note to the history of CASE. `watcher history` shows it; no alert is sent.

    Example: watcher note IOE0000000001 Called USCIS, they said to wait 30 days
    """
    text = own_text(words, max_length=_MAX_NOTE_LENGTH)
    with open_context(config) as app:
        known = known_case(app, case)
        change = Change(
            kind=ChangeKind.NOTE,
            severity=severity_of(ChangeKind.NOTE),
            case_number=known.case_number,
            new={"text": text},
        )
        writes = app.context.compose(app.settings.accounts[known.account], (change,))
        app.context.record([replace(writes, drafts=())], now=app.clock.now())
    print_line(_("Note added to the history of {case}.", case=described_case(known)))


@click.command("remind")
@CONFIG
@_CASE
@click.argument("day", cls=AskedArgument, question="Date (YYYY-MM-DD)", callback=parse_day, metavar="DATE")
@click.argument(
    "words", cls=AskedArgument, question="What to remind you of", nargs=-1, required=True, metavar="TEXT..."
)
def remind_command(config: Path | None, case: str, day: date, words: tuple[str, ...]) -> None:
    """Add a date of your own to CASE, with reminders before it and on the day.

    It is in `watcher pending` and in the calendar. `watcher done ITEM` ends the reminders; `watcher due ITEM DATE`
    moves the date.

    Example: watcher remind IOE0000000001 2027-05-01 The green card expires
    """
    text = own_text(words, max_length=_MAX_REMINDER_LENGTH)
    with open_context(config) as app:
        known, now = known_case(app, case), app.clock.now()
        if day < now.astimezone(app.settings.office_zone(known.account)).date():
            raise click.BadParameter(_("{day} has passed. Check the year.", day=day), param_hint="DATE")
        number = app.store.user.add_reminder(known.account, known.case_number, text, day, now)
        update_calendar_file(app.context)
        distances = ", ".join(map(_distance, app.settings.deadlines.remind))
    described = described_case(known)
    item = _("Item {number} ({case}: {title})", number=number, case=described, title=text)
    print_line(_("{item} is on {day}.", item=item, day=day))
    if distances:
        print_line(_("You get reminders {distances} before that date and on the day.", distances=distances))
    else:
        print_line(_("You get a reminder on the day."))


@click.command("finish")
@CONFIG
@_CASE
def finish_command(config: Path | None, case: str) -> None:
    """Stop watching CASE because it is finished: no more checks and no alerts about it. Nothing is deleted.

    Dates of your own (`watcher remind`) keep their reminders. `watcher watch CASE` watches it again.
    """
    with open_context(config) as app:
        known = known_case(app, case)
        was_watched = app.store.user.finish(known.case_number, app.clock.now())
        open_items = _open_items(app, known)
    described = described_case(known)
    if not was_watched:
        print_line(_("{case} was already finished.", case=described))
        return
    command = f"watcher watch {quote(known.case_number)}"
    print_line(_("{case} is finished: no more checks. Undo with `{command}`.", case=described, command=command))
    if open_items:
        print_line(plural("{n} open item gets no more reminders.", "{n} open items get no more reminders.", open_items))


@click.command("watch")
@CONFIG
@_CASE
def watch_command(config: Path | None, case: str) -> None:
    """Watch a finished CASE again. The next check reports what has changed since the last one."""
    with open_context(config) as app:
        known = known_case(app, case)
        was_finished = app.store.user.watch(known.case_number)
    described = described_case(known)
    if not was_finished:
        print_line(_("{case} is already being watched.", case=described))
        return
    command = f"watcher check {quote(known.account)}"
    print_line(_("{case} is being watched again. `{command}` checks it now.", case=described, command=command))


def own_text(words: tuple[str, ...], *, max_length: int, param_hint: str = "TEXT") -> str:
    """Return what the user typed as one line. Exit with status 2 if nothing is left of it, or too much."""
    text = clean(" ".join(words))
    if not text:
        raise click.BadParameter(_("The text is empty."), param_hint=param_hint)
    if len(text) > max_length:
        problem = plural(
            "The text has {n} character; at most {max} are possible.",
            "The text has {n} characters; at most {max} are possible.",
            len(text),
            max=max_length,
        )
        raise click.BadParameter(problem, param_hint=param_hint)
    return text


def _distance(before: timedelta) -> str:
    """Return how long before a date a reminder is due, in words."""
    unit, number = ("days", before.days) if before % _DAY == timedelta() else ("hours", before // _HOUR)
    return load_catalogue(current_language()).plural(unit, number)


def _open_items(app: App, known: KnownCase) -> int:
    """Return how many items of the portal are open in this case, in all accounts."""
    return sum(
        item.state is ItemState.OPEN and item.item.kind is not ItemKind.REMINDER
        for case in app.store.tracked_cases(case_number=known.case_number)
        for item in case.items
    )
