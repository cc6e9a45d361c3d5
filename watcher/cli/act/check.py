"""`watcher check`, `import`: one read, from the portal or from files; then what time has brought, then the alerts."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from watcher.app import App
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import Progress, print_error, print_json, print_line, severity_colour, styled
from watcher.errors import os_error_text
from watcher.export.calendar_file import update_calendar_file
from watcher.export.json_documents import change_document, read_result_document
from watcher.model.account_health import ReadOutcome, ReadResult
from watcher.model.alert import AlertState
from watcher.model.change import RecordedChange
from watcher.portal import CaseRead
from watcher.reading.poll import record_results
from watcher.reading.trace import TraceFolder
from watcher.settings.derived import is_watched
from watcher.store import Busy

CHANGED = 10
"""The exit status of `--exit-code` where something changed."""

_WAIT_FOR_DAEMON = 120.0
_LARGEST_FILE = 64 * 1024 * 1024


@click.command("check")
@CONFIG
@JSON
@click.option("--exit-code", is_flag=True, help=f"Exit with {CHANGED} where something changed.")
@click.option(
    "--trace", type=click.Path(path_type=Path, file_okay=False), help="Keep the portal's answers here, secrets blanked."
)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
def check_command(
    config: Path | None, accounts: tuple[str, ...], trace: Path | None, *, exit_code: bool, as_json: bool
) -> None:
    """One read of every account (or of those named) now, then what time has brought; alerts delivered."""
    with open_context(config) as app:
        names = _names(app, accounts)
        rounds = [_read(app, name, trace, quiet=as_json) for name in names]
        by_time = app.record_time_reminders()
        update_calendar_file(app.context)
        untaken = _deliver(app)
        if as_json:
            print_json(
                {
                    "accounts": [read_result_document(done) for done in rounds],
                    "changes": [change_document(change) for change in by_time],
                }
            )
        else:
            show_read_results(rounds, by_time)
    changed = any(done.changes for done in rounds) or bool(by_time)
    failed = [done for done in rounds if done.outcome is not ReadOutcome.OK]
    for done in failed:
        print_error(f"{done.account}: {done.outcome.value}: {done.error}")
    sys.exit(1 if failed or untaken else CHANGED if exit_code and changed else 0)


def _deliver(app: App) -> int:
    """Delivers what is due; says on standard error, and returns, how many alerts were tried and not taken."""
    given_up = app.store.outbox.counts()[AlertState.FAILED]
    app.outbox_worker().deliver_due(wait=_WAIT_FOR_DAEMON)
    waiting = [alert for alert in app.store.outbox.list(state=AlertState.QUEUED) if alert.last_error]
    untaken = len(waiting) + app.store.outbox.counts()[AlertState.FAILED] - given_up
    if untaken:
        print_error(
            f"alerts: {untaken} not taken by their channels; `watcher alerts` says why, and the next check tries again"
        )
    return untaken


@click.command("import")
@CONFIG
@JSON
@click.argument("account")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE..."
)
def import_command(config: Path | None, account: str, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Takes what you saved from the portal's pages of ACCOUNT (JSON or HAR) as one read: same diff, same alerts."""
    with open_context(config) as app:
        _names(app, (account,))
        readings = _in_files(app, account, files)
        try:
            done = record_results(readings, app.settings.accounts[account], app.portal_of(account), app.context)
        except Busy:
            raise click.ClickException(f"{account}: another process is reading this account; try again soon") from None
        update_calendar_file(app.context)
        app.outbox_worker().deliver_due(wait=_WAIT_FOR_DAEMON)
    if as_json:
        print_json({"accounts": [read_result_document(done)]})
    else:
        show_read_results([done], [])


def _content(file: Path) -> bytes:
    """More than a portal takes is not even read; it says then that the file is too large."""
    with file.open("rb") as opened:
        return opened.read(_LARGEST_FILE + 1)


def _in_files(app: App, account: str, files: Sequence[Path]) -> list[CaseRead]:
    """The cases in the files that the account watches; the others are named and left out."""
    portal, settings = app.portal_of(account), app.settings.accounts[account]
    if portal.import_answers is None:
        raise click.UsageError(f"{account}: {portal.title} shows nothing that could be saved and imported")
    try:
        contents = [(file.name, _content(file)) for file in files]
    except OSError as error:
        raise click.BadParameter(f"{error.filename}: {error.strerror}", param_hint="FILE") from None
    readings = portal.import_answers(contents, app.settings.language)
    for reading in readings:
        if not is_watched(settings, reading.snapshot.case_number):
            print_error(
                f"{account}: {reading.snapshot.case_number} is left out; it is not among the cases of this account"
            )
    wanted = [reading for reading in readings if is_watched(settings, reading.snapshot.case_number)]
    if not wanted:
        raise click.ClickException(f"{account}: these files hold no case that this account watches")
    return wanted


def _names(app: App, wanted: Sequence[str]) -> list[str]:
    unknown = [name for name in wanted if name not in app.settings.accounts]
    if unknown:
        known = ", ".join(app.settings.accounts) or "none"
        raise click.BadParameter(f"no account {', '.join(unknown)} in the configuration; there are: {known}")
    return list(wanted or app.settings.accounts)


def _read(app: App, name: str, trace: Path | None, *, quiet: bool) -> ReadResult:
    try:
        folder = TraceFolder(trace / name, app.secrets()) if trace else None
    except OSError as error:
        raise click.BadParameter(f"{trace}: {os_error_text(error)}", param_hint="--trace") from None
    progress = Progress(name) if not quiet and Progress.can_be_seen() else None
    try:
        return app.poll(name, wait=_WAIT_FOR_DAEMON, trace=folder, progress=progress)
    finally:
        if progress is not None:
            progress.end()


def show_read_results(rounds: Sequence[ReadResult], by_time: Sequence[RecordedChange]) -> None:
    """What reads came to, and what time has brought, for a person."""
    for done in rounds:
        colour = "green" if done.outcome is ReadOutcome.OK else "red"
        cases = "1 case" if done.cases_read == 1 else f"{done.cases_read} cases"
        print_line(f"{done.account}: {styled(done.outcome.value, colour)}, {cases} read, {_count(done.changes)}")
        for change in done.changes:
            _show_change(change)
    if by_time:
        print_line(f"time: {_count(by_time)}")
    for change in by_time:
        _show_change(change)


def _count(changes: Sequence[RecordedChange]) -> str:
    return {0: "no change", 1: "1 change"}.get(len(changes), f"{len(changes)} changes")


def _show_change(change: RecordedChange) -> None:
    kind = styled(change.change.kind.value, severity_colour(change.change.severity))
    print_line(f"  {change.change.case_number or change.account}  {kind}  {change.summary}")
