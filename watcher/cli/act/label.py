"""`watcher label`: what the user calls cases, and whose they are."""

import re
from collections.abc import Iterable
from pathlib import Path

import click

from watcher.actions.cases import MAX_LABEL_LENGTH, labeled_text, same_labels
from watcher.app import App
from watcher.cli.act.cases import own_text
from watcher.cli.act.label_file import read_labels
from watcher.cli.case_argument import find_number
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG
from watcher.cli.terminal.input_file import read_input
from watcher.cli.terminal.output import print_error, print_line
from watcher.context.known_cases import configured_cases
from watcher.errors import os_error_text
from watcher.messages import _, plural

_CASE_NUMBER = re.compile(r"[A-Z]{3}[0-9]{10}|[A-Z]{1,5}[0-9]{7,14}|AA[0-9A-Z]{8}|[0-9]{8,14}")
_MAX_FILE_SIZE = 4 * 1024 * 1024


@click.command("label")
@CONFIG
@click.option("--person", metavar="NAME", help="Whose case it is.")
@click.option("--clear", is_flag=True, help="Remove the label and the person of CASE.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="CSV",
    help="Read many from a table with the columns receipt, label, person.",
)
@click.argument("case", required=False)
@click.argument("words", nargs=-1, metavar="[TEXT...]")
def label_command(
    config: Path | None, case: str | None, words: tuple[str, ...], person: str | None, file: Path | None, *, clear: bool
) -> None:
    """Give CASE a label that alerts and lists show first, and say whose case it is.

    Works before the first check of the case, too. With --file, all lines are taken or none.

    Example: watcher label IOE0000000001 Green card --person Maria
    """
    if (file is None) == (case is None) or (file is not None and (clear or person is not None)):
        raise click.UsageError(_("Enter either CASE with a label, --person, or --clear, or only --file CSV."))
    if case is not None and clear == bool(words or person is not None):
        raise click.UsageError(_("Enter a label, --person NAME, or --clear."))
    with open_context(config) as app:
        if file is not None:
            _label_many(app, file)
        elif case is not None:
            _label_one(app, case, words, person, clear=clear)


def _label_one(app: App, typed: str, words: tuple[str, ...], person: str | None, *, clear: bool) -> None:
    numbers = _Numbers(app)
    number = numbers.find(typed)
    if number is None:
        problem = _("'{typed}' is not a case number, and no case has this label.", typed=typed)
        raise click.BadParameter(problem, param_hint="CASE")
    values: dict[str, str | None] = {"label": None, "person": None} if clear else {}
    if words:
        values["label"] = own_text(words, max_length=MAX_LABEL_LENGTH)
    if person is not None:
        values["person"] = own_text((person,), max_length=MAX_LABEL_LENGTH, param_hint="--person")
    app.store.user.label({number: values})
    print_line(labeled_text(number, app.store.user_case(number)))
    _report_unknown(numbers, [number])
    _print_same_labels(app, [number])


def _label_many(app: App, file: Path) -> None:
    try:
        content = read_input(file, max_bytes=_MAX_FILE_SIZE + 1)
    except OSError as error:
        raise click.BadParameter(f"{file}: {os_error_text(error)}", param_hint="--file") from None
    if len(content) > _MAX_FILE_SIZE:
        problem = _("it is larger than {n} MiB", n=_MAX_FILE_SIZE // 1024**2)
        raise click.BadParameter(f"{file}: {problem}", param_hint="--file")
    numbers = _Numbers(app)
    labels = read_labels(content, numbers.find)
    if labels.faults:
        for fault in labels.faults:
            print_error(f"{file}: {fault}")
        raise click.ClickException(_("Nothing was changed. Correct the file and try again."))
    app.store.user.label(labels.cases)
    print_line(plural("{n} case labeled.", "{n} cases labeled.", len(labels.cases)))
    _report_unknown(numbers, labels.cases)
    _print_same_labels(app, labels.cases)


class _Numbers:
    """The numbers that a label can be given to."""

    def __init__(self, app: App) -> None:
        self._said = app.store.user_cases()
        configured = configured_cases(app.settings, self._said)
        self.known = {*app.store.case_numbers(), *(case.case_number for case in configured)}

    def find(self, typed: str) -> str | None:
        """Return the number of a known case, or what is plainly the number of a case; None for anything else."""
        number = find_number(typed, self.known, self._said)
        if number is not None:
            return number
        plain = "".join(character for character in typed if character.isalnum()).upper()
        return plain if _CASE_NUMBER.fullmatch(plain) else None


def _report_unknown(numbers: _Numbers, cases: Iterable[str]) -> None:
    """Name the cases that are not watched yet: the number may have a typo."""
    for number in cases:
        if number not in numbers.known:
            print_error(_("{case} is not being watched yet. Its label is kept until it is.", case=number))


def _print_same_labels(app: App, cases: Iterable[str]) -> None:
    for warning in same_labels(app.store.user_cases(), cases):
        print_error(warning)
