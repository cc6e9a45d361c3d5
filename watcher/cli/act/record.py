"""`watcher record`: what a person read on a site that no program reads, taken in like any other read."""

from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import click

from watcher.app import App
from watcher.cli.act.check import show_read_results
from watcher.cli.context import open_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import print_error, print_json, print_line
from watcher.errors import UnexpectedAnswer
from watcher.export.calendar_file import update_calendar_file
from watcher.export.json_documents import read_result_document
from watcher.language.status_meaning import meaning_of, titles
from watcher.portals.manual import ManualAccount, build_case_read
from watcher.reading.poll import record_results
from watcher.store import Busy

_WAIT_FOR_DAEMON = 120.0


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
            reading = build_case_read(account.site, number, status, on=on.date() if on else None)
            done = record_results([reading], account, app.portal_of(account.name), app.context)
        except UnexpectedAnswer as error:
            raise click.BadParameter(str(error), param_hint="STATUS") from None
        except Busy:
            raise click.ClickException(f"{account.name}: another process is at work on it; try again soon") from None
        update_calendar_file(app.context)
        app.outbox_worker().deliver_due(wait=_WAIT_FOR_DAEMON)
        vocabulary = app.portal_of(account.name).vocabulary_of(account)
    if as_json:
        print_json({"accounts": [read_result_document(done)]})
    elif done.changes:
        show_read_results([done], [])
    else:
        print_line(f"{number}: seen, unchanged.")
    _say_where_unknown(reading.snapshot.status_title, vocabulary)


def _find(app: App, typed: str, name: str | None) -> tuple[ManualAccount, str]:
    """The manual account with this case, and the number as it is configured: people type spaces and small letters."""
    by_hand = [account for account in app.settings.accounts.values() if isinstance(account, ManualAccount)]
    if name is not None and name not in {account.name for account in by_hand}:
        known = ", ".join(account.name for account in by_hand) or "none"
        raise click.BadParameter(
            f'no account {name} with portal = "manual"; there are: {known}', param_hint="--account"
        )
    found = [
        (account, number)
        for account in by_hand
        if name in (None, account.name)
        for number in account.cases
        if _plain(number) == _plain(typed)
    ]
    if not found:
        known = ", ".join(number for account in by_hand for number in account.cases) or "none"
        raise click.BadParameter(
            f'{typed} is in the cases of no account with portal = "manual"; there are: {known}', param_hint="CASE"
        )
    if len(found) > 1:
        names = " or ".join(account.name for account, _ in found)
        raise click.UsageError(f"{typed} is a case of several accounts; add --account {names}")
    return found[0]


def _plain(number: str) -> str:
    return "".join(sign for sign in number if sign.isalnum()).casefold()


def _say_where_unknown(status: str, vocabulary: str) -> None:
    """Words that are new to the program are kept as they are; a slip of the finger is worth a word."""
    if meaning_of(status, vocabulary=vocabulary).known:
        return
    near = get_close_matches(status.title(), titles(vocabulary), n=1, cutoff=0.7)
    hint = f' If you meant "{near[0]}", record that.' if near else ""
    print_error(f'"{status}" is new to this program: it is kept word for word, and its stage is unknown.{hint}')
