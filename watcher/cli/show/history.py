"""`watcher history`: every recorded change, from the database alone."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

import click

from watcher.cli.case_argument import case_number, name_of_case
from watcher.cli.context import read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.show.filters import check_filters, of_account_and_person
from watcher.cli.terminal.output import local_time, print_json, print_line, print_wrapped_table, severity_color, styled
from watcher.cli.terminal.tables import cut_to
from watcher.clock.durations import parse_duration
from watcher.context.read_only import ReadOnlyContext
from watcher.export.json_documents import change_document
from watcher.messages import _, mark
from watcher.model.change import RecordedChange
from watcher.model.ledger import UserCase
from watcher.views.cases import Filters
from watcher.views.words import kind_text

_HEAD = (mark("ID"), mark("WHEN"), mark("CASE"), mark("CHANGE"), mark("DETAILS"))
_MAX_SUBJECT = 24


@click.command("history")
@CONFIG
@JSON
@of_account_and_person
@click.option("--since", metavar="DATE|30d", help="Show only changes from this day on, or of the last days.")
@click.option("--limit", type=click.IntRange(min=1), help="Show only this many, the newest first.")
@click.argument("case", required=False)
def history_command(
    config: Path | None,
    case: str | None,
    account: str | None,
    person: str | None,
    since: str | None,
    limit: int | None,
    *,
    as_json: bool,
) -> None:
    """List every recorded change (of CASE), newest first.

    Example: watcher history --since 30d
    """
    filters = Filters(account=account, person=person)
    with read_only_context(config) as context:
        check_filters(filters, context)
        changes = context.store.history(
            accounts=None if account is None else [account],
            case_numbers=_numbers(context, case, filters),
            since=None if since is None else _moment(since, context),
            limit=limit,
        )
        if as_json:
            print_json({"changes": [change_document(change) for change in changes]})
            return
        said = context.store.user_cases()
        rows = [
            (
                str(change.id),
                local_time(change.at, context.settings.timezone),
                cut_to(_subject(change, said), _MAX_SUBJECT),
                styled(kind_text(change.change.kind), severity_color(change.change.severity)),
                change.summary,
            )
            for change in changes
        ]
        print_wrapped_table(tuple(map(_, _HEAD)), rows)
        if not rows:
            is_filtered = since is not None or filters != Filters()
            print_line(_("No change matches.") if is_filtered else _("No changes have been recorded yet."))


def _subject(recorded: RecordedChange, said: Mapping[str, UserCase]) -> str:
    """Return the label or number of the case, or the account or channel, that a change is about."""
    change = recorded.change
    return name_of_case(change.case_number or "", said) or recorded.account or change.subject or ""


def _numbers(context: ReadOnlyContext, case: str | None, filters: Filters) -> list[str] | None:
    """Return the numbers of the cases in question; None for all changes."""
    if case is None and filters.person is None:
        return None
    chosen = None if case is None else case_number(context, case)
    cases = filters.apply(context.store.tracked_cases(case_number=chosen), context)
    return sorted({tracked.case_number for tracked in cases})


def _moment(since: str, context: ReadOnlyContext) -> datetime:
    """Return the moment that DATE, at its beginning for the user, or a duration such as 30d stands for."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", since):
            day = datetime.combine(date.fromisoformat(since), time(), context.settings.timezone)
            return day.astimezone(UTC)
        return context.clock.now() - parse_duration(since)
    except (ValueError, OverflowError):
        problem = _("'{value}' is neither a date nor a duration. Use 2026-12-31 or 30d.", value=since)
        raise click.BadParameter(problem, param_hint="--since") from None
