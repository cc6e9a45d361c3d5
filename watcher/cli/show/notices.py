"""`watcher notices`: the letters that portals offered, and where the saved ones are."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import click

from watcher.cli.case_argument import case_number, name_of_case
from watcher.cli.context import open_context, read_only_context
from watcher.cli.groups import CommandGroup
from watcher.cli.names import parse_number
from watcher.cli.options import CONFIG, JSON, OWN_CONFIG
from watcher.cli.terminal.output import print_error, print_json, print_line, print_table, styled
from watcher.context.read_only import ReadOnlyContext
from watcher.export.json_documents import notice_document
from watcher.messages import _, mark, plural
from watcher.model.ledger import TrackedNotice
from watcher.views.letters import is_given_up, reason_not_saved

_PARSE_LETTER = parse_number(mark("'{typed}' is not a letter number. `watcher notices` lists them."))
_HEAD = (mark("LETTER"), mark("CASE"), mark("DATED"), mark("TITLE"), mark("SAVED AS"))
_OPENERS = ("xdg-open", "open")


class _CaseOrCommand(CommandGroup):
    """A group in which `notices open ID` is a command and `notices IOE0000000001` is a case."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command. `add` is imported only when it is used: it imports all that saves letters."""
        if cmd_name == "add":
            from watcher.cli.show.own_letter import add_command  # noqa: PLC0415

            self.add_command(add_command)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), "add"})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, args if args[0] in self.list_commands(ctx) else ["of", *args])


@click.group(
    "notices",
    cls=_CaseOrCommand,
    invoke_without_command=True,
    subcommand_metavar="[CASE] | open ID | add CASE FILE | retry",
)
@CONFIG
@JSON
@click.pass_context
def notices_command(click_context: click.Context, config: Path | None, *, as_json: bool) -> None:
    """List the letters and documents on the website (of CASE), and where they are saved.

    `watcher notices open ID` opens one, `watcher notices add CASE FILE` keeps a PDF of your own, and `watcher notices
    retry` tries failed downloads again.
    """
    click_context.obj = (config, as_json)
    if click_context.invoked_subcommand is None:
        _list(config, None, as_json=as_json)


@notices_command.command("of", hidden=True)
@JSON
@OWN_CONFIG
@click.argument("case")
@click.pass_obj
def of_command(parent_options: tuple[Path | None, bool], own_config: Path | None, case: str, *, as_json: bool) -> None:
    """List the letters of one case."""
    config, json_before = parent_options
    _list(own_config or config, case, as_json=as_json or json_before)


@notices_command.command("open")
@OWN_CONFIG
@click.argument("number", callback=_PARSE_LETTER, metavar="ID")
@click.pass_obj
def open_command(parent_options: tuple[Path | None, bool], own_config: Path | None, number: int) -> None:
    """Print where letter ID is saved, and open it if there is a desktop."""
    with read_only_context(own_config or parent_options[0]) as context:
        notice = next((notice for notice in context.store.notices() if notice.id == number), None)
        if notice is None:
            problem = _("There is no letter {number}. `watcher notices` lists them.", number=number)
            raise click.BadParameter(problem, param_hint="ID")
        if notice.saved_as is None:
            reason = _reason_not_saved(notice)
            raise click.ClickException(_("Letter {number} is not saved: {reason}.", number=number, reason=reason))
        file = context.settings.state_dir / notice.saved_as
        shared = context.store.shared
    if not file.is_file() and shared:
        raise click.ClickException(
            _(
                "Letter {number} is not on this machine. Another machine that uses this database saved it in its own"
                " state_dir, as {file}.",
                number=number,
                file=notice.saved_as,
            )
        )
    if not file.is_file():
        raise click.ClickException(
            _("Letter {number} was saved as {file}, which no longer exists.", number=number, file=file)
        )
    print_line(str(file))
    _show_on_desktop(file)


@notices_command.command("retry")
@OWN_CONFIG
@click.pass_obj
def retry_command(parent_options: tuple[Path | None, bool], own_config: Path | None) -> None:
    """Try failed downloads again with the next check."""
    with open_context(own_config or parent_options[0]) as app:
        count = app.store.retry_downloads()
    print_line(
        plural(
            "{n} letter will be downloaded with the next check (`watcher check` checks now).",
            "{n} letters will be downloaded with the next check (`watcher check` checks now).",
            count,
        )
        if count
        else _("No download has failed.")
    )


def _list(config: Path | None, case: str | None, *, as_json: bool) -> None:
    with read_only_context(config) as context:
        number = None if case is None else case_number(context, case)
        notices = [notice for notice in context.store.notices() if number in (None, notice.case_number)]
        if as_json:
            print_json({"notices": [notice_document(notice, with_case=True) for notice in notices]})
        else:
            _show(context, notices)


def _show(context: ReadOnlyContext, notices: Sequence[TrackedNotice]) -> None:
    said = context.store.user_cases()
    rows = [
        (
            str(notice.id),
            name_of_case(notice.case_number, said),
            str(notice.notice.dated or "-"),
            notice.notice.title,
            _saved_as(context, notice) or styled(_reason_not_saved(notice), "yellow" if notice.last_error else None),
        )
        for notice in notices
    ]
    print_table(tuple(map(_, _HEAD)), rows)
    if not rows:
        print_line(_("No letters yet."))
    elif any(notice.saved_as for notice in notices):
        folder = context.settings.state_dir
        print_line(_("Saved in {folder}; `watcher notices open ID` opens one.", folder=folder))


def _saved_as(context: ReadOnlyContext, notice: TrackedNotice) -> str | None:
    """Return where a notice is saved, with a remark if that is on another machine; None if it is not saved."""
    if notice.saved_as is None or not context.store.shared or (context.settings.state_dir / notice.saved_as).is_file():
        return notice.saved_as
    return f"{notice.saved_as} {styled(_('(not on this machine)'), 'yellow')}"


def _reason_not_saved(notice: TrackedNotice) -> str:
    """Return why a notice is not saved."""
    if not is_given_up(notice):
        return reason_not_saved(notice)
    return plural(
        "{error} (after {n} attempt; `watcher notices retry` tries again)",
        "{error} (after {n} attempts; `watcher notices retry` tries again)",
        notice.attempts,
        error=notice.last_error,
    )


def _show_on_desktop(file: Path) -> None:
    """Open the file with the desktop's default program, if there is a desktop."""
    desktop = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    opener = next((path for name in _OPENERS if (path := which(name))), None)
    if not (desktop and opener and sys.stdout.isatty()):
        return
    completed = subprocess.run([opener, str(file)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if completed.returncode:
        print_error(_("{program} could not open {file}.", program=Path(opener).name, file=file))
