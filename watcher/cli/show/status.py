"""`watcher status`: accounts and cases, or one case in full, from the database alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from watcher.cli.case_argument import case_number
from watcher.cli.context import read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.show.accounts import print_accounts
from watcher.cli.show.case_in_full import print_case
from watcher.cli.show.documents import case_document_of
from watcher.cli.show.filters import check_filters, of_account_and_person
from watcher.cli.show.overview import print_cases, print_needs
from watcher.cli.terminal.output import print_json, print_line, print_paragraph
from watcher.context.device_channels import push_devices
from watcher.context.read_only import ReadOnlyContext
from watcher.export.json_documents import account_document, change_document
from watcher.messages import _, plural
from watcher.model.alert import AlertState
from watcher.model.case import Stage
from watcher.model.ledger import TrackedCase
from watcher.views.accounts import ShownAccount, is_never_checked, shown_accounts
from watcher.views.cases import Filters
from watcher.views.published_lists import problem_sentence


@click.command("status")
@CONFIG
@JSON
@of_account_and_person
@click.option(
    "--stage",
    type=click.Choice([stage.value for stage in Stage]),
    metavar="STAGE",
    help="Show only cases in this stage.",
)
@click.option("--needs-me", is_flag=True, help="Show only what needs you.")
@click.argument("case", required=False)
def status_command(
    config: Path | None,
    case: str | None,
    account: str | None,
    person: str | None,
    stage: str | None,
    *,
    needs_me: bool,
    as_json: bool,
) -> None:
    """Show what needs you, all cases by person, and when each account was checked. With CASE, show one case in full.

    CASE is the case number or your label for the case. Example: watcher status --needs-me
    """
    filters = Filters(account=account, person=person, stage=stage, needs_me=needs_me)
    if case is not None and filters != Filters():
        raise click.UsageError(_("CASE shows one case. Leave out the options that choose cases."))
    with read_only_context(config) as context:
        check_filters(filters, context)
        if case is not None:
            _show_case(context, case_number(context, case), as_json=as_json)
            return
        cases = filters.apply(context.watched_cases(), context)
        configured = shown_accounts(context)
        accounts = _accounts_of(cases, filters, configured)
        if as_json:
            print_json(_document(context, cases, accounts))
            return
        print_needs(cases, accounts, context)
        print_cases(cases, context)
        if cases:
            print_line()
        elif filters != Filters():
            print_line(_("No case matches."))
        print_accounts(accounts, context)
        _print_next_steps(context, is_checked=not is_never_checked(configured))


def _accounts_of(
    cases: Sequence[TrackedCase], filters: Filters, accounts: Mapping[str, ShownAccount]
) -> Mapping[str, ShownAccount]:
    """Return the accounts to show: all, or those of the cases and of what else the filters ask for."""
    if filters == Filters():
        return accounts
    wanted = {case.account for case in cases} | {filters.account}
    if filters == Filters(account=filters.account, needs_me=True):
        in_question = accounts.items() if filters.account is None else [(filters.account, accounts[filters.account])]
        wanted |= {name for name, account in in_question if account.state.waits_for_person}
    return {name: account for name, account in accounts.items() if name in wanted}


def _document(
    context: ReadOnlyContext, cases: Sequence[TrackedCase], accounts: Mapping[str, ShownAccount]
) -> dict[str, Any]:
    return {
        "accounts": [
            account_document(
                shown.settings,
                shown.health,
                shown.next_read_at,
                caution=shown.caution,
                session_ends_at=shown.session_ends_at,
            )
            for shown in accounts.values()
        ],
        "cases": [case_document_of(case, context) for case in cases],
    }


def _show_case(context: ReadOnlyContext, number: str, *, as_json: bool) -> None:
    """Show every account's view of the case, with its history."""
    cases = context.store.tracked_cases(case_number=number)
    changes = context.store.history(case_number=number)
    if as_json:
        accounts = shown_accounts(context)
        document = _document(
            context, cases, {case.account: accounts[case.account] for case in cases if case.account in accounts}
        )
        print_json({**document, "changes": [change_document(change) for change in changes]})
        return
    for case in cases:
        print_case(case, [change for change in changes if change.account == case.account], context)


def _print_next_steps(context: ReadOnlyContext, *, is_checked: bool) -> None:
    failed = context.store.outbox.counts()[AlertState.FAILED]
    if failed:
        print_line()
        text = plural(
            "{n} alert could not be delivered: `watcher alerts` says why, and `watcher alerts retry` tries again.",
            "{n} alerts could not be delivered: `watcher alerts` says why, and `watcher alerts retry` tries again.",
            failed,
        )
        print_line(text, color="red")
    for problem in context.lists.problems(context.today):
        print_line()
        print_paragraph(problem_sentence(problem), color="yellow")
    for device in push_devices(context.store, context.settings):
        if device.has_ended:
            print_line(
                _(
                    "{device} no longer gets alerts. Turn its notifications on again, on the page under Devices.",
                    device=device.name,
                ),
                color="red",
            )
    if not context.settings.accounts:
        print_line(_("No account is set up yet; `watcher init` adds one."))
    elif not is_checked:
        print_line()
        print_line(_("Nothing has been checked yet. `watcher check` checks once now; `watcher run` keeps checking."))
