"""`watcher record`: record the status that a person read on a site, like the result of any other check."""

from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

import click

from watcher.actions import LOCK_TIMEOUT
from watcher.app import App
from watcher.cli.act.check import print_read_results
from watcher.cli.case_argument import find_number
from watcher.cli.context import open_context
from watcher.cli.names import unknown_name
from watcher.cli.options import CONFIG, JSON, parse_date
from watcher.cli.terminal.output import print_error, print_json, print_line
from watcher.cli.terminal.prompts import AskedArgument
from watcher.cli.terminal.termination import finishing_on_sigterm
from watcher.errors import UnexpectedAnswer
from watcher.export.calendar_file import update_calendar_file
from watcher.export.json_documents import read_result_document
from watcher.language.status_meaning import meaning_of, titles
from watcher.messages import _, mark
from watcher.portals.manual import ManualAccount, build_case_read
from watcher.reading.poll import record_results
from watcher.store import Busy
from watcher.text.case_numbers import normalized_number


@click.command("record")
@CONFIG
@JSON
@click.option(
    "--on",
    callback=lambda _context, _parameter, value: None if value is None else parse_date(value),
    metavar="DATE",
    help="The date of the status on the website, YYYY-MM-DD.",
)
@click.option("--account", "name", help="The account, if two accounts have the same case number.")
@click.argument("case")
@click.argument(
    "status", cls=AskedArgument, question="Status, word for word", nargs=-1, required=True, metavar="STATUS..."
)
def record_command(
    config: Path | None, case: str, status: tuple[str, ...], on: date | None, name: str | None, *, as_json: bool
) -> None:
    """Record the STATUS of CASE as you saw it on the official website, word for word.

    Record it even if it has not changed: that also answers the reminder to look. For accounts with portal = "manual".

    Example: watcher record AA00000001 Administrative Processing --on 2026-05-29
    """
    with open_context(config) as app:
        account, number = _find(app, case, name)
        if on is not None and on > (app.clock.now() + timedelta(days=1)).date():
            problem = _("{day} is in the future. Check the year.", day=on)
            raise click.BadParameter(problem, param_hint="--on")
        try:
            read = build_case_read(account.site, number, " ".join(status), on=on)
            result = record_results([read], account, app.portal_of(account.name), app.context)
        except UnexpectedAnswer as error:
            raise click.BadParameter(str(error), param_hint="STATUS") from None
        except Busy:
            raise click.ClickException(
                _("Another process is using account {account}. Try again in a moment.", account=account.name)
            ) from None
        update_calendar_file(app.context)
        with finishing_on_sigterm(app.context.stop):
            app.outbox_worker().deliver_due(wait=LOCK_TIMEOUT)
        vocabulary, said = app.portal_of(account.name).vocabulary_of(account), app.store.user_cases()
    if as_json:
        print_json({"accounts": [read_result_document(result)]})
    elif result.changes:
        print_read_results([result], [], said)
    else:
        print_line(_("{case}: recorded, unchanged.", case=number))
    _report_unknown(read.snapshot.status_title, vocabulary)


def _find(app: App, typed: str, name: str | None) -> tuple[ManualAccount, str]:
    """Return the manual account with this case, named by its number or label, and the number as configured."""
    accounts = [account for account in app.settings.accounts.values() if isinstance(account, ManualAccount)]
    if name is not None and name not in {account.name for account in accounts}:
        raise unknown_name(
            name,
            [account.name for account in accounts],
            problem=mark("There is no account '{name}' with portal = \"manual\"."),
            others=mark("Accounts: {names}."),
            if_none=mark("`watcher init` adds one."),
            param_hint="--account",
        )
    numbers = [number for account in accounts for number in account.cases]
    typed_number = normalized_number(find_number(typed, numbers, app.store.user_cases()) or typed)
    matches = [
        (account, number)
        for account in accounts
        if name in (None, account.name)
        for number in account.cases
        if normalized_number(number) == typed_number
    ]
    if not matches:
        raise unknown_name(
            typed,
            numbers,
            problem=mark("There is no case '{name}' at an account with portal = \"manual\"."),
            others=mark("Cases: {names}."),
            if_none=mark("`watcher init` adds one."),
            param_hint="CASE",
        )
    if len(matches) > 1:
        names = ", ".join(quote(account.name) for account, _number in matches)
        raise click.UsageError(
            _(
                "Several accounts have the case {case}: {names}. Add --account with one of them.",
                case=typed,
                names=names,
            )
        )
    return matches[0]


def _report_unknown(status: str, vocabulary: str) -> None:
    """Report a status that is not recognized, and suggest a known one in case of a typo."""
    if meaning_of(status, vocabulary=vocabulary).known:
        return
    similar = get_close_matches(status.title(), titles(vocabulary), n=1, cutoff=0.7)
    problem = _('"{status}" is not recognized. It is kept word for word, with the stage "unknown".', status=status)
    hint = _('Did you mean "{status}"?', status=similar[0]) if similar else ""
    print_error(f"{problem} {hint}".rstrip())
