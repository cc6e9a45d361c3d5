"""`watcher check`, `import`: check accounts at the portal or from files, then record reminders and deliver alerts."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

import click

from watcher.actions import LOCK_TIMEOUT
from watcher.app import App
from watcher.cli.case_argument import name_of_case
from watcher.cli.context import open_context
from watcher.cli.names import unknown_account
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.input_file import read_input
from watcher.cli.terminal.output import Progress, print_error, print_json, print_line, severity_color, styled
from watcher.cli.terminal.termination import finishing_on_sigterm
from watcher.cli.terminal.unmoved import mention_unmoved_database
from watcher.context.wrong_clock import correct_wrong_clock
from watcher.errors import os_error_text
from watcher.export.calendar_file import update_calendar_file
from watcher.export.json_documents import change_document, read_result_document
from watcher.messages import _, plural
from watcher.model.account_health import ReadOutcome, ReadResult
from watcher.model.alert import AlertState
from watcher.model.change import RecordedChange
from watcher.model.ledger import UserCase
from watcher.portal import CaseRead
from watcher.reading.poll import record_results
from watcher.reading.trace import TraceFolder
from watcher.settings.derived import is_watched
from watcher.store import Busy
from watcher.views.words import kind_text, outcome_text

EXIT_CHANGED = 10
"""The exit status of `--exit-code` if something changed."""

_MAX_FILE_SIZE = 64 * 1024 * 1024


@click.command("check")
@CONFIG
@JSON
@click.option("--exit-code", is_flag=True, help="Exit with status 10 if anything changed.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path, file_okay=False),
    help="Save the website's answers in this folder, without secrets.",
)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
def check_command(
    config: Path | None, accounts: tuple[str, ...], trace: Path | None, *, exit_code: bool, as_json: bool
) -> None:
    """Check all accounts now, or only each ACCOUNT, and send alerts.

    Reminders that are due are sent as well. Prints what changed.
    """
    with open_context(config) as app, finishing_on_sigterm(app.context.stop):
        names = account_names(app, accounts, param_hint="ACCOUNT")
        mention_unmoved_database(app.settings, config, only_first=True)
        corrections = correct_wrong_clock(app.context)
        results = _check_accounts(app, names, trace, quiet=as_json)
        time_changes = corrections + app.record_time_reminders()
        update_calendar_file(app.context)
        refused = _deliver(app)
        if as_json:
            print_json(
                {
                    "accounts": [read_result_document(result) for result in results],
                    "changes": [change_document(change) for change in time_changes],
                }
            )
        else:
            print_read_results(results, time_changes, app.store.user_cases())
            _mention_handed_over(app, names)
    changed = any(result.changes for result in results) or bool(time_changes)
    failed = [result for result in results if result.outcome is not ReadOutcome.OK]
    for result in failed:
        print_failure(result)
    sys.exit(1 if failed or refused else EXIT_CHANGED if exit_code and changed else 0)


def _mention_handed_over(app: App, names: Sequence[str]) -> None:
    """Print which accounts a person checks, so that nobody takes "ok" for a check."""
    for name in names:
        if app.settings.accounts[name].is_handed_over:
            print_line(handed_over_text(name))


def handed_over_text(account: str) -> str:
    """Return that a person, not the program, checks this account, and how."""
    return _(
        "{account}: not checked by the program. You hand it over: `watcher handover {typed}` says how.",
        account=account,
        typed=quote(account),
    )


def _deliver(app: App) -> int:
    """Deliver due alerts. Return how many were tried and not accepted, after reporting them on standard error."""
    failed_before = app.store.outbox.counts()[AlertState.FAILED]
    app.outbox_worker().deliver_due(wait=LOCK_TIMEOUT)
    waiting = [alert for alert in app.store.outbox.list(state=AlertState.QUEUED) if alert.last_error]
    refused = len(waiting) + app.store.outbox.counts()[AlertState.FAILED] - failed_before
    if refused:
        print_error(
            plural(
                "{n} alert could not be delivered yet. `watcher alerts` says why; the next check tries again.",
                "{n} alerts could not be delivered yet. `watcher alerts` says why; the next check tries again.",
                refused,
            )
        )
    return refused


@click.command("import")
@CONFIG
@JSON
@click.argument("account")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE..."
)
def import_command(config: Path | None, account: str, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Import answers that you saved from the website (JSON or HAR) as one check of ACCOUNT.

    They are compared and alerted like any other check.
    """
    with open_context(config) as app, finishing_on_sigterm(app.context.stop):
        account_names(app, (account,), param_hint="ACCOUNT")
        reads = _import_files(app, account, files)
        try:
            result = record_results(reads, app.settings.accounts[account], app.portal_of(account), app.context)
        except Busy:
            raise click.ClickException(
                _("Another process is checking account {account}. Try again in a moment.", account=account)
            ) from None
        update_calendar_file(app.context)
        app.outbox_worker().deliver_due(wait=LOCK_TIMEOUT)
        said = app.store.user_cases()
    if as_json:
        print_json({"accounts": [read_result_document(result)]})
    else:
        print_read_results([result], [], said)


def _import_files(app: App, account: str, files: Sequence[Path]) -> list[CaseRead]:
    """Return the watched cases in the files. Others are reported and left out."""
    portal, settings = app.portal_of(account), app.settings.accounts[account]
    importer = portal.importer(settings)
    if importer is None:
        raise click.UsageError(
            _("Account {account} ({portal}) cannot import saved pages.", account=account, portal=_(portal.title))
        )
    try:
        contents = [(file.name, read_input(file, max_bytes=_MAX_FILE_SIZE + 1)) for file in files]
    except OSError as error:
        raise click.BadParameter(f"{error.filename}: {os_error_text(error)}", param_hint="FILE") from None
    reads = importer(contents, app.settings.language)
    for read in reads:
        if not is_watched(settings, read.snapshot.case_number):
            print_error(
                _(
                    "{account}: skipped {case}, which is not one of the account's cases",
                    account=account,
                    case=read.snapshot.case_number,
                )
            )
    watched = [read for read in reads if is_watched(settings, read.snapshot.case_number)]
    if not watched:
        raise click.ClickException(_("The files contain no case that account {account} watches.", account=account))
    return watched


def account_names(app: App, names: Sequence[str], *, param_hint: str) -> list[str]:
    """Return the names, or all accounts if there are none. Exit with status 2 if one is not configured."""
    for name in names:
        if name not in app.settings.accounts:
            raise unknown_account(name, list(app.settings.accounts), param_hint=param_hint)
    return list(names or app.settings.accounts)


def _check_accounts(app: App, names: Sequence[str], trace: Path | None, *, quiet: bool) -> list[ReadResult]:
    """Check each account once. Those that another process is checking come last, and are waited for together."""
    names = list(dict.fromkeys(names))
    results = {name: _check_account(app, name, trace, quiet=quiet) for name in names}
    deadline = time.monotonic() + LOCK_TIMEOUT
    for name in names:
        if results[name].read_elsewhere:
            wait = max(0.0, deadline - time.monotonic())
            results[name] = _check_account(app, name, trace, quiet=quiet, wait=wait)
    return [results[name] for name in names]


def _check_account(app: App, name: str, trace: Path | None, *, quiet: bool, wait: float = 0.0) -> ReadResult:
    try:
        folder = TraceFolder(trace / name) if trace else None
    except OSError as error:
        raise click.BadParameter(f"{trace}: {os_error_text(error)}", param_hint="--trace") from None
    progress = None
    if not quiet and Progress.is_visible():
        progress = Progress(_("checking {account}", account=name), lambda n: plural("{n} case", "{n} cases", n))
    try:
        return app.poll(name, wait=wait, trace=folder, progress=progress)
    finally:
        if progress is not None:
            progress.clear()


def print_read_results(
    results: Sequence[ReadResult], time_changes: Sequence[RecordedChange], said: Mapping[str, UserCase]
) -> None:
    """Print the results of checks and the changes caused by time. `said` is what the user calls cases."""
    for result in results:
        color = "green" if result.outcome is ReadOutcome.OK else "red"
        outcome = styled(outcome_text(result.outcome), color)
        cases = plural("{n} case checked", "{n} cases checked", result.cases_read)
        changes = plural("{n} change", "{n} changes", len(result.changes)) if result.changes else _("no changes")
        text = _("{account}: {outcome}, {cases}, {changes}")
        print_line(text.format(account=result.account, outcome=outcome, cases=cases, changes=changes))
        for change in result.changes:
            _show_change(change, said)
    if time_changes:
        print_line(_("reminders: {n}", n=len(time_changes)))
    for change in time_changes:
        _show_change(change, said)


def print_failure(result: ReadResult) -> None:
    """Print on standard error why an account was not checked, or not completely."""
    outcome = outcome_text(result.outcome)
    print_error(_("{account}: {outcome}: {reason}", account=result.account, outcome=outcome, reason=result.error))


def _show_change(change: RecordedChange, said: Mapping[str, UserCase]) -> None:
    kind = styled(kind_text(change.change.kind), severity_color(change.change.severity))
    number = change.change.case_number
    about = name_of_case(number, said) if number else change.account or change.change.subject
    print_line(f"  {about}  {kind}  {change.summary}")
