"""`watcher note`, `remind`, `finish`, `watch`: what the user says about a case."""

from datetime import date
from pathlib import Path
from shlex import quote

import click

from watcher.actions import Refused, cases
from watcher.actions.cases import MAX_NOTE_LENGTH, MAX_REMINDER_LENGTH
from watcher.cli.act.items import parse_day
from watcher.cli.case_argument import known_case
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import print_line
from watcher.cli.terminal.prompts import AskedArgument
from watcher.messages import _

_CASE = click.argument("case")


@click.command("note")
@CONFIG
@_CASE
@click.argument("words", cls=AskedArgument, question="Note", nargs=-1, required=True, metavar="TEXT...")
def note_command(config: Path | None, case: str, words: tuple[str, ...]) -> None:
    """Add a note to the history of CASE. `watcher history` shows it; no alert is sent.

    Example: watcher note IOE0000000001 Called USCIS, they said to wait 30 days
    """
    text = own_text(words, max_length=MAX_NOTE_LENGTH)
    with open_context(config) as app:
        print_line(cases.add_note(app, known_case(app, case), text))


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
    text = own_text(words, max_length=MAX_REMINDER_LENGTH)
    with open_context(config) as app:
        try:
            added, follows = cases.add_reminder(app, known_case(app, case), text, day)
        except Refused as refused:
            raise click.BadParameter(str(refused), param_hint="DATE") from None
    print_line(added)
    print_line(follows)


@click.command("finish")
@CONFIG
@_CASE
def finish_command(config: Path | None, case: str) -> None:
    """Stop watching CASE because it is finished: no more checks and no alerts about it. Nothing is deleted.

    Dates of your own (`watcher remind`) keep their reminders. `watcher watch CASE` watches it again.
    """
    with open_context(config) as app:
        known = known_case(app, case)
        was_watched, text, ends = cases.finish(app, known)
    if was_watched:
        command = f"watcher watch {quote(known.case_number)}"
        text = f"{text} {_('Undo with `{command}`.', command=command)}"
    print_line(text)
    if ends:
        print_line(ends)


@click.command("watch")
@CONFIG
@_CASE
def watch_command(config: Path | None, case: str) -> None:
    """Watch a finished CASE again. The next check reports what has changed since the last one."""
    with open_context(config) as app:
        known = known_case(app, case)
        was_finished, text = cases.watch(app, known)
    if was_finished:
        command = f"watcher check {quote(known.account)}"
        text = f"{text} {_('`{command}` checks it now.', command=command)}"
    print_line(text)


def own_text(words: tuple[str, ...], *, max_length: int, param_hint: str = "TEXT") -> str:
    """Return what the user typed as one line. Exit with status 2 if nothing is left of it, or too much."""
    try:
        return cases.own_text(" ".join(words), max_length=max_length)
    except Refused as refused:
        raise click.BadParameter(str(refused), param_hint=param_hint) from None
