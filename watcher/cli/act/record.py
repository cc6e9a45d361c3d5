"""`watcher record`: record the status that a person read on a site, like the result of any other check."""

from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import click

from watcher.app import App
from watcher.cli.act.check import print_read_results
from watcher.cli.context import LOCK_TIMEOUT, open_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_error, print_json, print_line
from watcher.cli.terminal.termination import finishing_on_sigterm
from watcher.errors import UnexpectedAnswer
from watcher.export.calendar_file import update_calendar_file
from watcher.export.json_documents import read_result_document
from watcher.language.status_meaning import meaning_of, titles
from watcher.portals.manual import ManualAccount, build_case_read
from watcher.reading.poll import record_results
from watcher.store import Busy


@click.command("record")
@CONFIG
@JSON
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day that the site gives the status, YYYY-MM-DD.",
)
@click.option("--account", "name", help="Where two accounts have the same case number.")
@click.argument("case")
@click.argument("status")
def record_command(
    config: Path | None, case: str, status: str, on: datetime | None, name: str | None, *, as_json: bool
) -> None:
    """Writes down the STATUS that you read on the official site about CASE, word for word.

    It is one read: compared with the last one, told, counted for stalls and deadlines. The same words again are seen
    and unchanged, and answer the reminder to look.
    """
    with open_context(config) as app:
        account, number = _find(app, case, name)
        if on is not None and on.date() > (app.clock.now() + timedelta(days=1)).date():
            raise click.BadParameter(f"{on.date()} is still to come; is the year right?", param_hint="--on")
        try:
            read = build_case_read(account.site, number, status, on=on.date() if on else None)
            result = record_results([read], account, app.portal_of(account.name), app.context)
        except UnexpectedAnswer as error:
            raise click.BadParameter(str(error), param_hint="STATUS") from None
        except Busy:
            raise click.ClickException(f"{account.name}: another process is at work on it; try again soon") from None
        update_calendar_file(app.context)
        with finishing_on_sigterm(app.context.stop):
            app.outbox_worker().deliver_due(wait=LOCK_TIMEOUT)
        vocabulary = app.portal_of(account.name).vocabulary_of(account)
    if as_json:
        print_json({"accounts": [read_result_document(result)]})
    elif result.changes:
        print_read_results([result], [])
    else:
        print_line(f"{number}: seen, unchanged.")
    _report_unknown(read.snapshot.status_title, vocabulary)


def _find(app: App, typed: str, name: str | None) -> tuple[ManualAccount, str]:
    """Return the manual account with this case and the number as configured. Spaces and case do not matter."""
    manual_accounts = [account for account in app.settings.accounts.values() if isinstance(account, ManualAccount)]
    if name is not None and name not in {account.name for account in manual_accounts}:
        known = ", ".join(account.name for account in manual_accounts) or "none"
        raise click.BadParameter(
            f'no account {name} with portal = "manual"; there are: {known}', param_hint="--account"
        )
    matches = [
        (account, number)
        for account in manual_accounts
        if name in (None, account.name)
        for number in account.cases
        if _normalized(number) == _normalized(typed)
    ]
    if not matches:
        known = ", ".join(number for account in manual_accounts for number in account.cases) or "none"
        raise click.BadParameter(
            f'{typed} is in the cases of no account with portal = "manual"; there are: {known}', param_hint="CASE"
        )
    if len(matches) > 1:
        names = " or ".join(account.name for account, _ in matches)
        raise click.UsageError(f"{typed} is a case of several accounts; add --account {names}")
    return matches[0]


def _normalized(number: str) -> str:
    return "".join(character for character in number if character.isalnum()).casefold()


def _report_unknown(status: str, vocabulary: str) -> None:
    """Report a status that is not recognized, and suggest a known one in case of a typo."""
    if meaning_of(status, vocabulary=vocabulary).known:
        return
    similar = get_close_matches(status.title(), titles(vocabulary), n=1, cutoff=0.7)
    hint = f' If you meant "{similar[0]}", record that.' if similar else ""
    print_error(f'"{status}" is new to this program: it is kept word for word, and its stage is unknown.{hint}')
