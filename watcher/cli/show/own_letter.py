"""`watcher notices add`: keep a letter of the user's own, and offer the dates that it names."""

from datetime import date
from pathlib import Path
from shlex import quote

import click

from watcher.app import App
from watcher.cli.case_argument import described_case, known_case
from watcher.cli.context import open_context
from watcher.cli.options import OWN_CONFIG
from watcher.cli.terminal.input_file import read_input
from watcher.cli.terminal.output import print_line
from watcher.context.known_cases import KnownCase
from watcher.errors import os_error_text
from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import day_text
from watcher.messages import _, current_language, mark
from watcher.model.case import ItemKind, ItemState
from watcher.model.ledger import TrackedItem
from watcher.notices.file_type import MAX_DOCUMENT_BYTES, NotADocument
from watcher.notices.own_letter import AddedLetter, add_letter
from watcher.store import Busy

_ADDED = mark("Letter {number} was added to {case}.")
_KNOWN = mark("{case} has this letter already, as letter {number}.")
_MAX_DATES = 5


@click.command("add")
@OWN_CONFIG
@click.argument("case")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def add_command(parent_options: tuple[Path | None, bool], own_config: Path | None, case: str, file: Path) -> None:
    """Keep a PDF of your own, such as a scanned letter, among the letters of CASE.

    The dates that it names are shown, and how to enter one. None is entered for you.

    Example: watcher notices add IOE0000000001 rfe.pdf
    """
    with open_context(own_config or parent_options[0]) as app:
        known = known_case(app, case)
        letter = _add(app, known, file)
        print_line(_(_ADDED if letter.is_new else _KNOWN, number=letter.number, case=described_case(known)))
        print_line(_("Saved as {file}.", file=letter.saved_as))
        _offer_dates(app, known, letter)


def _add(app: App, known: KnownCase, file: Path) -> AddedLetter:
    try:
        content = read_input(file, max_bytes=MAX_DOCUMENT_BYTES + 1)
        return add_letter(app.context, known.account, known.case_number, file.name, content)
    except OSError as error:
        raise click.BadParameter(f"{file}: {os_error_text(error)}", param_hint="FILE") from None
    except NotADocument as error:
        raise click.BadParameter(f"{file}: {error}", param_hint="FILE") from None
    except Busy:
        raise click.ClickException(
            _("Another process is using account {account}. Try again in a moment.", account=known.account)
        ) from None


def _offer_dates(app: App, known: KnownCase, letter: AddedLetter) -> None:
    """Print the dates ahead, each with the complete command that would enter it."""
    if not letter.has_text:
        print_line(_("It has no text that can be read, so no date was looked for: it may be a scan."))
        return
    today = app.clock.now().astimezone(app.settings.office_zone(known.account)).date()
    ahead = [day for day in letter.dates if day >= today][:_MAX_DATES]
    if not ahead:
        print_line(_("It names no date from today on."))
    items = _open_items(app, known)
    for day in ahead:
        print_line(_offer(day, known, items, app))


def _offer(day: date, known: KnownCase, items: list[TrackedItem], app: App) -> str:
    shown = day_text(day, load_catalogue(current_language()), app.settings.timezone)
    if not items:
        command = f"watcher remind {quote(known.case_number)} {day}"
        return _("This letter names {date}. To be reminded: {command}", date=shown, command=command)
    if len(items) == 1:
        command = f"watcher due {items[0].id} {day}"
        return _("This letter names {date}. If that is your due date: {command}", date=shown, command=command)
    commands = ", ".join(f"`watcher due {item.id} {day}` ({item.item.title})" for item in items)
    return _("This letter names {date}. If that is a due date: {commands}", date=shown, commands=commands)


def _open_items(app: App, known: KnownCase) -> list[TrackedItem]:
    """Return the open items of the case that can have a due date in a letter."""
    return [
        item
        for case in app.store.tracked_cases(case_number=known.case_number)
        for item in case.items
        if item.state is ItemState.OPEN
        and item.item.kind is not ItemKind.REMINDER
        and not item.item.kind.is_appointment
    ]
