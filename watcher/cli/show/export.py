"""`watcher export`: cases, history, and items for other programs; deadlines and appointments as a calendar."""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from watcher.cli.context import read_only_context
from watcher.cli.options import CONFIG
from watcher.cli.terminal.output import print_error
from watcher.context.read_only import ReadOnlyContext
from watcher.errors import system_reason
from watcher.export.json_documents import case_document, change_document, item_document
from watcher.export.masked import Mask
from watcher.messages import _, plural
from watcher.model.ledger import TrackedItem
from watcher.privacy.private_file import write_private_file
from watcher.remind.stalls import is_stalled

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "cases": (
        *("label", "person"),
        *("account", "case_number", "form", "title", "stage", "status", "status_since", "stage_since", "submitted_on"),
        *("last_read_at", "stalled", "missing", "finished"),
    ),
    "history": ("id", "at", "account", "case_number", "kind", "severity", "summary"),
    "items": (
        *("id", "account", "case_number", "kind", "title", "due_on", "due_by_estimate", "due_from"),
        *("starts_at", "starts_on", "place", "state", "first_seen_at"),
    ),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command("export")
@CONFIG
@click.option("--format", "form", type=click.Choice(["json", "csv", "ics"]), default="json", show_default=True)
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
    config: Path | None, form: str, what: str | None, output: Path | None, notices: Path | None, *, masked: bool
) -> None:
    """Export cases, history, and items as JSON or CSV, or deadlines and appointments as a calendar (ics).

    Example: watcher export --format ics --output deadlines.ics
    """
    if notices is not None:
        _export_notices(config, notices, only_option=not (what or output or masked))
        return
    if form == "ics" and what:
        raise click.UsageError(_("A calendar contains deadlines and appointments only. Use --what with json or csv."))
    with read_only_context(config) as context:
        content = _calendar(context, masked=masked) if form == "ics" else _tables(context, form, what, masked=masked)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        write_private_file(output, content)
    except OSError as error:
        raise click.BadParameter(f"{output}: {system_reason(error)}", param_hint="--output") from None
    print_error(_("Wrote {file}.", file=output))


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


def _calendar(context: ReadOnlyContext, *, masked: bool) -> bytes:
    from watcher.export.ics import calendar  # noqa: PLC0415 - only this format needs icalendar

    cases = context.watched_cases()
    if masked:
        cases = [replace(case, items=tuple(_without_place(item) for item in case.items)) for case in cases]
    settings = context.settings
    return calendar(
        cases, language=settings.language, zone=settings.timezone, office_zone=settings.office_zone, masked=masked
    )


def _without_place(item: TrackedItem) -> TrackedItem:
    """Return the item without its place, which reveals where someone lives."""
    return replace(item, item=replace(item.item, place=None))


def _tables(context: ReadOnlyContext, form: str, what: str | None, *, masked: bool) -> bytes:
    documents = _documents(context, masked=masked)
    if form == "csv":
        name = what or "cases"
        return _csv(documents[name], _COLUMNS[name]).encode()
    selected = {name: rows for name, rows in documents.items() if what in (None, name)}
    return (json.dumps(selected, ensure_ascii=False, indent=2) + "\n").encode()


def _documents(context: ReadOnlyContext, *, masked: bool) -> dict[str, list[dict[str, Any]]]:
    """Return every case, change, and item in the database, including those of accounts no longer watched."""
    settings, now = context.settings, context.clock.now()
    tracked_cases = context.store.tracked_cases()
    cases = [
        case_document(case, stalled=is_stalled(case, stall=settings.stall, zone=settings.timezone, now=now))
        for case in tracked_cases
    ]
    items = [item_document(item, with_case=True) for item in context.store.items()]
    history = context.store.history()
    if not masked:
        return {"cases": cases, "history": [change_document(change) for change in history], "items": items}
    mask = Mask(context.store.accounts.all(), settings=settings)
    return {
        "cases": [mask.case(case) for case in cases],
        "history": [mask.change(change) for change in history],
        "items": [mask.item(item) for item in items],
    }


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return a table in RFC 4180 format, as spreadsheets read it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    """Return a cell that no spreadsheet treats as a formula, since text from portals is untrusted."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
