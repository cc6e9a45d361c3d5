"""`watcher export`: cases, history, and items for other programs; dates as a calendar; one case on paper."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from watcher.alerts.style import TextStyle
from watcher.cli.case_argument import case_number
from watcher.cli.context import read_only_context
from watcher.cli.options import CONFIG
from watcher.cli.show.documents import case_document_of
from watcher.cli.terminal.output import print_error
from watcher.context.read_only import ReadOnlyContext
from watcher.errors import system_reason
from watcher.export.case_report import CaseReport, case_report
from watcher.export.csv_table import csv_table
from watcher.export.json_documents import change_document, item_document
from watcher.export.masked import Mask
from watcher.export.report_formats import as_html, as_markdown
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language, plural
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.privacy.private_file import write_private_file

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "cases": (
        *("label", "person", "account", "case_number", "form", "title", "stage", "status", "status_since"),
        *("stage_since", "submitted_on", "last_read_at", "stalled", "missing", "finished"),
    ),
    "history": ("label", "person", "id", "at", "account", "case_number", "kind", "severity", "summary"),
    "items": (
        *("label", "person", "id", "account", "case_number", "kind", "title", "due_on", "due_by_estimate", "due_from"),
        *("estimate_runs_until", "starts_at", "starts_on", "place", "state", "first_seen_at"),
    ),
}
_REPORTS = {"md": as_markdown, "html": as_html}


@click.command("export")
@CONFIG
@click.option(
    "--format", "form", type=click.Choice(["json", "csv", "ics", "md", "html"]), default="json", show_default=True
)
@click.option("--case", "case", metavar="CASE", help="Export only this case; needed for md and html.")
@click.option(
    "--what",
    type=click.Choice(list(_COLUMNS)),
    help="Export only this table. Default: cases for csv, everything for json.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE, readable only by you. Default: standard output.",
)
@click.option(
    "--masked", is_flag=True, help="Mask case numbers and leave out names and places, so that you can share the result."
)
@click.option(
    "--notices",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.zip",
    help="Export the saved letters instead, as a ZIP file that only you can read.",
)
def export_command(
    config: Path | None,
    form: str,
    case: str | None,
    what: str | None,
    output: Path | None,
    notices: Path | None,
    *,
    masked: bool,
) -> None:
    """Export cases, history, and items as JSON or CSV, or deadlines and appointments as a calendar (ics).

    With --case, md and html are one case on paper, for a lawyer: its status, items, letters, notes, and timeline.

    Example: watcher export --format ics --output deadlines.ics
    """
    if notices is not None:
        _export_notices(config, notices, only_option=not (case or what or output or masked))
        return
    if form == "ics" and what:
        raise click.UsageError(_("A calendar contains deadlines and appointments only. Use --what with json or csv."))
    if form in _REPORTS and (case is None or what):
        raise click.UsageError(_("md and html show one case: choose it with --case, and leave out --what."))
    with read_only_context(config) as context:
        number = None if case is None else case_number(context, case)
        content = _content(context, form, what, number, masked=masked)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        write_private_file(output, content)
    except OSError as error:
        raise click.BadParameter(f"{output}: {system_reason(error)}", param_hint="--output") from None
    print_error(_("Wrote {file}.", file=output))


def _content(context: ReadOnlyContext, form: str, what: str | None, number: str | None, *, masked: bool) -> bytes:
    if form == "ics":
        return _calendar(context, number, masked=masked)
    if form in _REPORTS and number is not None:
        return _REPORTS[form](_report(context, number, masked=masked)).encode()
    return _tables(context, form, what, number, masked=masked)


def _export_notices(config: Path | None, file: Path, *, only_option: bool) -> None:
    if not only_option:
        raise click.UsageError(_("--notices exports only the letters. Leave out the other options."))
    from watcher.export.zip_archive import write_archive  # noqa: PLC0415 - imports all that downloads letters

    with read_only_context(config) as context:
        shared = context.store.shared
        try:
            count, missing = write_archive(context.store.notices(), context.settings.state_dir, file)
        except OSError as error:
            raise click.BadParameter(f"{file}: {system_reason(error)}", param_hint="--notices") from None
    for name in missing:
        print_error(
            _("{file} is not on this machine, so it is not in the archive.", file=name)
            if shared
            else _("{file} no longer exists, so it is not in the archive.", file=name)
        )
    print_error(plural("Wrote {file} ({n} letter).", "Wrote {file} ({n} letters).", count, file=file))


def _calendar(context: ReadOnlyContext, number: str | None, *, masked: bool) -> bytes:
    from watcher.export.ics import calendar  # noqa: PLC0415 - only this format needs icalendar

    cases = [case for case in context.watched_cases() if number in {None, case.case_number}]
    if masked:
        cases = [replace(case, items=tuple(_without_place(item) for item in case.items)) for case in cases]
    settings = context.settings
    return calendar(
        cases, language=settings.language, zone=settings.timezone, office_zone=settings.office_zone, masked=masked
    )


def _without_place(item: TrackedItem) -> TrackedItem:
    """Return the item without its place, which reveals where someone lives."""
    return replace(item, item=replace(item.item, place=None))


def _tables(context: ReadOnlyContext, form: str, what: str | None, number: str | None, *, masked: bool) -> bytes:
    cases = context.store.tracked_cases(case_number=number)
    documents = _documents(context, cases, number, masked=masked)
    if form == "csv":
        name = what or "cases"
        said = {(case["account"], case["case_number"]): case for case in documents["cases"]}
        return csv_table([_with_label(row, said) for row in documents[name]], _COLUMNS[name]).encode()
    selected = {name: rows for name, rows in documents.items() if what in (None, name)}
    return (json.dumps(selected, ensure_ascii=False, indent=2) + "\n").encode()


def _with_label(row: Mapping[str, Any], cases: Mapping[tuple[Any, Any], Mapping[str, Any]]) -> dict[str, Any]:
    """Return a row with the label and person of its case."""
    case = cases.get((row["account"], row["case_number"]), {})
    return {"label": case.get("label"), "person": case.get("person"), **row}


def _documents(
    context: ReadOnlyContext, tracked_cases: Sequence[TrackedCase], number: str | None, *, masked: bool
) -> dict[str, list[dict[str, Any]]]:
    """Return the cases, their changes, and their items; without a number everything in the database.

    That includes the cases of accounts that are no longer watched.
    """
    cases = [case_document_of(case, context) for case in tracked_cases]
    items = [item for item in context.store.items() if number in {None, item.case_number}]
    item_documents = [item_document(item, with_case=True) for item in items]
    history = context.store.history(case_number=number)
    if not masked:
        return {"cases": cases, "history": [change_document(change) for change in history], "items": item_documents}
    mask = Mask(context.store.accounts.all(), settings=context.settings)
    return {
        "cases": [mask.case(case) for case in cases],
        "history": [mask.change(change) for change in history],
        "items": [mask.item(item) for item in item_documents],
    }


def _report(context: ReadOnlyContext, number: str, *, masked: bool) -> CaseReport:
    """Return the report of a case. If several accounts show it, that of the account that has read it last."""
    settings, cases = context.settings, context.store.tracked_cases(case_number=number)
    case = max(cases, key=lambda case: (case.snapshot is not None, case.last_read_at or case.first_seen_at))
    documents = _documents(context, [case], number, masked=masked)
    account = documents["cases"][0]["account"]
    style = TextStyle(
        catalogue=load_catalogue(current_language()),
        zone=settings.timezone,
        office_zone=settings.office_zone(case.account),
        privacy="masked" if masked else "full",
    )
    changes = [change for change in documents["history"] if change["account"] == account]
    return case_report(documents["cases"][0], changes, style=style, now=context.clock.now())
