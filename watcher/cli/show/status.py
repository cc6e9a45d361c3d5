"""`watcher status`, `history`, `pending`: accounts, cases, changes, and open items, from the database alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from watcher.cli.case_argument import case_number
from watcher.cli.context import read_only_context
from watcher.cli.options import CONFIG, JSON
from watcher.cli.terminal.output import local_time, print_json, print_line, print_table, severity_color, styled
from watcher.cli.terminal.state_words import account_text, kind_text
from watcher.clock.timestamps import iso_text
from watcher.context.read_only import ReadOnlyContext
from watcher.export.json_documents import account_document, case_document, change_document, item_document
from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import brief_appointment_text
from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import AlertState
from watcher.model.case import ItemState
from watcher.model.ledger import DueSource, TrackedCase, TrackedItem
from watcher.model.overdue_check import apparent_health
from watcher.portals import find
from watcher.remind.stalls import is_stalled
from watcher.settings import Settings

_STATE_COLORS = {AccountState.OK: "green", AccountState.NEVER_READ: None}


@click.command("status")
@CONFIG
@JSON
def status_command(config: Path | None, *, as_json: bool) -> None:
    """Show all accounts and cases: when each was checked, its status, and what needs you."""
    with read_only_context(config) as context:
        cases, stored = context.watched_cases(), _stored_accounts(context)
        accounts = [
            account_document(account, *stored.get(name, (None, None)), caution=find(account.portal).caution(account))
            for name, account in context.settings.accounts.items()
        ]
        if as_json:
            documents = [case_document(case, stalled=_stalled(context, case)) for case in cases]
            print_json({"accounts": accounts, "cases": documents})
            return
        _show_accounts(context, stored)
        _show_cases(context, cases)
        _print_next_steps(
            context, is_checked=bool(cases) or any(health.last_attempt_at for health, _ in stored.values())
        )


def _stalled(context: ReadOnlyContext, case: TrackedCase) -> bool:
    return is_stalled(case, stall=context.settings.stall, zone=context.settings.timezone, now=context.clock.now())


def _stored_accounts(context: ReadOnlyContext) -> Mapping[str, tuple[AccountHealth, datetime | None]]:
    """Return the health and the next check of each account; checks that hang or have stopped count as failing."""
    now, blind_after = context.clock.now(), context.settings.schedule.blind_after
    stored = dict(context.store.accounts.all())
    for name, account in context.settings.accounts.items():
        if name in stored and not find(account.portal).is_manual:
            health, next_read_at = stored[name]
            stored[name] = apparent_health(health, next_read_at, now=now, blind_after=blind_after), next_read_at
    return stored


def _show_accounts(context: ReadOnlyContext, stored: Mapping[str, tuple[AccountHealth, datetime | None]]) -> None:
    zone = context.settings.timezone
    rows = []
    for name, account in context.settings.accounts.items():
        health, next_read_at = stored.get(name, (None, None))
        state = health.state if health else AccountState.NEVER_READ
        rows.append(
            (
                name,
                account.portal,
                styled(account_text(state), _STATE_COLORS.get(state, "red")),
                local_time(health.last_read_at if health else None, zone),
                local_time(next_read_at, zone) if next_read_at else "-",
            )
        )
    print_table(("ACCOUNT", "PORTAL", "STATE", "LAST SUCCESSFUL CHECK", "NEXT CHECK"), rows)
    for name, account in context.settings.accounts.items():
        if caution := find(account.portal).caution(account):
            text = load_catalogue(context.settings.language).message("caution", caution)
            print_line(f"{name}: {text}", color="yellow")
    for name, (health, _) in stored.items():
        if name in context.settings.accounts and health.last_error:
            print_line(f"{name}: {health.last_error}", color="red")


def _show_cases(context: ReadOnlyContext, cases: Sequence[TrackedCase]) -> None:
    if not cases:
        return
    print_line()
    catalogue = load_catalogue(context.settings.language)
    rows = [
        (
            case.case_number,
            (case.snapshot.form if case.snapshot else None) or "-",
            catalogue.message("stage", case.snapshot.stage, "name") if case.snapshot else "not checked yet",
            str(case.stage_since or "-"),
            _note(context, case),
            (case.snapshot.status if case.snapshot else None) or "-",
        )
        for case in cases
    ]
    print_table(("CASE", "FORM", "STAGE", "SINCE", "NOTE", "STATUS"), rows)


def _note(context: ReadOnlyContext, case: TrackedCase) -> str:
    if case.missing_reads:
        return styled("not found", "red")
    if any(item.state is ItemState.OPEN for item in case.items):
        return styled("needs you", "red")
    return styled("no news", "yellow") if _stalled(context, case) else "-"


def _print_next_steps(context: ReadOnlyContext, *, is_checked: bool) -> None:
    failed = context.store.outbox.counts()[AlertState.FAILED]
    if failed:
        print_line()
        alerts = "1 alert" if failed == 1 else f"{failed} alerts"
        advice = "`watcher alerts` says why, and `watcher alerts retry` tries again"
        print_line(f"{alerts} could not be delivered: {advice}.", color="red")
    if not context.settings.accounts:
        print_line("No account is set up yet; `watcher init` adds one.")
    elif not is_checked:
        print_line()
        print_line("Nothing has been checked yet. `watcher check` checks once now; `watcher run` keeps checking.")


@click.command("history")
@CONFIG
@JSON
@click.option("--limit", type=click.IntRange(min=1), help="Show only this many, the newest first.")
@click.argument("case", required=False)
def history_command(config: Path | None, case: str | None, limit: int | None, *, as_json: bool) -> None:
    """List every recorded change (of CASE), newest first."""
    with read_only_context(config) as context:
        number = None if case is None else case_number(context, case)
        changes = context.store.history(case_number=number, limit=limit)
        if as_json:
            print_json({"changes": [change_document(change) for change in changes]})
            return
        rows = [
            (
                str(change.id),
                local_time(change.at, context.settings.timezone),
                change.change.case_number or change.account or change.change.subject or "",
                styled(kind_text(change.change.kind), severity_color(change.change.severity)),
                change.summary,
            )
            for change in changes
        ]
        print_table(("ID", "WHEN", "CASE", "CHANGE", "DETAILS"), rows)
        if not rows:
            print_line("No changes have been recorded yet.")


@click.command("pending")
@CONFIG
@JSON
def pending_command(config: Path | None, *, as_json: bool) -> None:
    """List open requests, appointments, and fees with their dates, soonest first.

    `watcher done ITEM` ends the reminders for one; `watcher due ITEM DATE` enters the date from your letter.
    """
    with read_only_context(config) as context:
        items = [item for case in context.watched_cases() for item in case.items if item.state is ItemState.OPEN]
        items.sort(key=lambda item: _date_order(item, context.settings.office_zone(item.account)))
        if as_json:
            print_json({"pending": [item_document(item, with_case=True) for item in items]})
            return
        catalogue = load_catalogue(context.settings.language)
        rows = [
            (
                str(item.id),
                item.case_number,
                catalogue.message("item", item.item.kind, "name"),
                _due(item),
                _starts(item, context.settings),
                item.item.title,
            )
            for item in items
        ]
        print_table(("ITEM", "CASE", "KIND", "DUE", "STARTS", "TITLE"), rows)
        if any(item.due and item.due[1] is DueSource.ESTIMATE for item in items):
            print_line(
                "~ marks the latest possible date, which is computed. Enter the date from your letter with `watcher due"
                " ITEM DATE`."
            )
        if not rows:
            print_line("Nothing is open.")


def _date_order(item: TrackedItem, zone: ZoneInfo) -> tuple[bool, str]:
    days = [item.item.starts_at.day_in(zone)] if item.item.starts_at else []
    days += [item.due[0]] if item.due else []
    return (not days, iso_text(min(days) if days else item.first_seen_at))


def _due(item: TrackedItem) -> str:
    if item.due is None:
        return "-"
    day, source = item.due
    return f"~{day}" if source is DueSource.ESTIMATE else str(day)


def _starts(item: TrackedItem, settings: Settings) -> str:
    if item.item.starts_at is None:
        return "-"
    zone = settings.office_zone(item.account)
    return brief_appointment_text(item.item.starts_at, load_catalogue(settings.language), zone)
