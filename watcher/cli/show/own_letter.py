"""`watcher notices add`: keep a letter of the user's own, and offer the dates that it names."""

from datetime import date
from pathlib import Path
from shlex import quote

import click

from watcher.actions import letters
from watcher.app import App
from watcher.cli.case_argument import known_case
from watcher.cli.context import open_context, refusals
from watcher.cli.options import OWN_CONFIG
from watcher.cli.terminal.input_file import read_input
from watcher.cli.terminal.output import print_line
from watcher.context.known_cases import KnownCase
from watcher.errors import os_error_text
from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import day_text
from watcher.messages import _, current_language
from watcher.model.ledger import TrackedItem
from watcher.notices.file_type import MAX_DOCUMENT_BYTES, NotADocument
from watcher.notices.own_letter import AddedLetter


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
    with open_context(own_config or parent_options[0]) as app, refusals():
        known = known_case(app, case)
        letter, text = _add(app, known, file)
        print_line(text)
        print_line(_("Saved as {file}.", file=letter.saved_as))
        _offer_dates(app, known, letter)


def _add(app: App, known: KnownCase, file: Path) -> tuple[AddedLetter, str]:
    try:
        content = read_input(file, max_bytes=MAX_DOCUMENT_BYTES + 1)
        return letters.keep_letter(app, known, file.name, content)
    except OSError as error:
        raise click.BadParameter(f"{file}: {os_error_text(error)}", param_hint="FILE") from None
    except NotADocument as error:
        raise click.BadParameter(f"{file}: {error}", param_hint="FILE") from None


def _offer_dates(app: App, known: KnownCase, letter: AddedLetter) -> None:
    """Print the dates ahead, each with the complete command that would enter it."""
    ahead, remark = letters.dates_ahead(app, known, letter)
    if remark:
        print_line(remark)
    items = letters.items_of_letters(app, known)
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
