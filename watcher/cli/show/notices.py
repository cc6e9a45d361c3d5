"""`watcher notices`: the letters that portals offered, and where the saved ones lie."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import click

from watcher.cli.context import open_context, read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.show.status import case_number
from watcher.cli.terminal.output import print_error, print_json, print_line, styled, table
from watcher.context.read_only import ReadOnlyContext
from watcher.export.json_documents import notice_document
from watcher.model.ledger import MAX_DOWNLOAD_ATTEMPTS, TrackedNotice

_OPENERS = ("xdg-open", "open")


class _CaseOrCommand(click.Group):
    """`notices open ID` is a command; `notices IOE0000000001` is a case."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["of", *args])


@click.group("notices", cls=_CaseOrCommand, invoke_without_command=True, subcommand_metavar="[CASE] | open ID | retry")
@CONFIG
@JSON
@click.pass_context
def notices_command(context: click.Context, config: Path | None, *, as_json: bool) -> None:
    """The letters that portals offered (for CASE), and where they are saved.

    `open ID` opens one, `retry` takes up what failed.
    """
    context.obj = (config, as_json)
    if context.invoked_subcommand is None:
        _list(config, None, as_json=as_json)


@notices_command.command("of", hidden=True)
@JSON
@click.option("--config", "own_config", type=click.Path(path_type=Path, dir_okay=False), help="The configuration file.")
@click.argument("case")
@click.pass_obj
def of_command(given: tuple[Path | None, bool], own_config: Path | None, case: str, *, as_json: bool) -> None:
    """Those of one case."""
    config, json_before = given
    _list(own_config or config, case, as_json=as_json or json_before)


@notices_command.command("open")
@click.option("--config", "own_config", type=click.Path(path_type=Path, dir_okay=False), help="The configuration file.")
@click.argument("notice", type=click.IntRange(min=1), metavar="ID")
@click.pass_obj
def open_command(given: tuple[Path | None, bool], own_config: Path | None, notice: int) -> None:
    """Prints where notice ID is saved, and opens it where there is a desktop."""
    with read_only_context(own_config or given[0]) as books:
        kept = next((each for each in books.store.notices() if each.id == notice), None)
        if kept is None:
            raise click.BadParameter(f"there is no notice {notice}; `watcher notices` lists them", param_hint="ID")
        if kept.saved_as is None:
            raise click.ClickException(f"notice {notice} is not saved: {_why_not(kept)}")
        file = books.settings.state_dir / kept.saved_as
    if not file.is_file():
        raise click.ClickException(f"notice {notice}: {file} is gone; it was saved there")
    print_line(str(file))
    _show_on_desktop(file)


@notices_command.command("retry")
@click.option("--config", "own_config", type=click.Path(path_type=Path, dir_okay=False), help="The configuration file.")
@click.pass_obj
def retry_command(given: tuple[Path | None, bool], own_config: Path | None) -> None:
    """Takes up again the downloads that failed; the next read tries them."""
    with open_context(own_config or given[0]) as app:
        count = app.store.retry_downloads()
    print_line(
        f"{count} to be tried again at the next read (`watcher check` reads now)." if count else "None has failed."
    )


def _list(config: Path | None, case: str | None, *, as_json: bool) -> None:
    with read_only_context(config) as books:
        number = None if case is None else case_number(books.store, case)
        found = [kept for kept in books.store.notices() if number in (None, kept.case_number)]
        if as_json:
            print_json({"notices": [notice_document(kept, with_case=True) for kept in found]})
        else:
            _show(books, found)


def _show(books: ReadOnlyContext, found: Sequence[TrackedNotice]) -> None:
    rows = [
        (
            str(kept.id),
            kept.case_number,
            str(kept.notice.dated or "-"),
            kept.notice.title,
            kept.saved_as or styled(_why_not(kept), "yellow" if kept.last_error else None),
        )
        for kept in found
    ]
    table(("NOTICE", "CASE", "DATED", "TITLE", "SAVED AS"), rows)
    if not rows:
        print_line("No notice has been seen yet.")
    elif any(kept.saved_as for kept in found):
        print_line(f"Saved in {books.settings.state_dir}; `watcher notices open ID` opens one.")


def _why_not(kept: TrackedNotice) -> str:
    """Why a notice is not saved, in a few words."""
    if kept.notice.download is None:
        return "the portal offers no download that the program knows"
    if kept.last_error is None:
        return "not downloaded yet"
    given_up = (
        f" (given up after {kept.attempts} tries; `watcher notices retry`)"
        if kept.attempts >= MAX_DOWNLOAD_ATTEMPTS
        else ""
    )
    return f"{kept.last_error}{given_up}"


def _show_on_desktop(file: Path) -> None:
    """Opens the file with the desktop's own program, where a person sits at one."""
    desktop = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    opener = next((found for name in _OPENERS if (found := which(name))), None)
    if not (desktop and opener and sys.stdout.isatty()):
        return
    done = subprocess.run([opener, str(file)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode:
        print_error(f"{Path(opener).name} could not open it")
