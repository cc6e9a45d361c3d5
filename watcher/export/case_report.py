"""One case on paper, for a lawyer: who, numbers, status, items, letters, notes, and timeline. Pure.

The report is made from the documents of `watcher.export.json_documents`, so that a masked report contains what
`watcher.export.masked` leaves of them. `watcher.export.report_formats` writes it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from watcher.alerts.style import TextStyle
from watcher.messages import _, mark
from watcher.model.appointment_time import time_from_json
from watcher.model.case import ItemKind
from watcher.model.change import ChangeKind
from watcher.model.ledger import DueSource

_Document: TypeAlias = Mapping[str, Any]

_ITEMS = (mark("Item"), mark("What"), mark("Date"), mark("Place"), mark("State"))
_LETTERS = (mark("Dated"), mark("Title"), mark("File"))
_CHANGES = (mark("Date"), mark("What"))
_STATES = {
    "open": mark("open"),
    "done": mark("done"),
    "answered": mark("answered"),
    "closed": mark("closed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table with its heading."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """A report: its title, the facts as pairs of label and value, the agency's text, tables, and a closing line."""

    language: str
    title: str
    facts: Sequence[tuple[str, str]]
    quote_title: str
    quote: str
    tables: Sequence[ReportTable]
    closing: str


def case_report(case: _Document, changes: Iterable[_Document], *, style: TextStyle, now: datetime) -> CaseReport:
    """Return the report of a case of `watcher status --json`. `changes` are those of `watcher history --json`.

    `style` has the language and the zones of dates. `now` is aware.
    """
    by_age = sorted(changes, key=lambda change: int(change["id"]))
    notes = [(style.moment(change["at"]), text) for change in by_age if (text := _note_text(change))]
    timeline = [change for change in by_age if change["kind"] != ChangeKind.NOTE]
    tables = (
        _table(_("Items"), _ITEMS, [_item_row(item, style) for item in case["pending"]]),
        _table(_("Letters"), _LETTERS, [_letter_row(letter, style) for letter in case["notices"]]),
        _table(_("Notes"), _CHANGES, notes),
        _table(_("Timeline"), _CHANGES, [_change_row(change, style) for change in timeline]),
    )
    name = case["label"] or _joined(case["person"] or case["case_number"], case["form"])
    closing = _(
        "Recorded by case-watcher from the agency's website. The agency's letters govern. Created {date}.",
        date=style.moment(now.isoformat()),
    )
    return CaseReport(
        language=style.catalogue.language,
        title=name,
        facts=list(_facts(case, style)),
        quote_title=_("In the agency's words"),
        quote=case["description"] or "",
        tables=[table for table in tables if table.rows],
        closing=closing,
    )


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> ReportTable:
    return ReportTable(title=title, head=tuple(map(_, head)), rows=[row for row in rows if any(row)])


def _facts(case: _Document, style: TextStyle) -> Iterator[tuple[str, str]]:
    stage = style.catalogue.message("stage", case["stage"], "name")
    facts = (
        (_("Person"), case["person"]),
        (_("Number"), case["case_number"]),
        (_("Form"), _joined(case["form"], case["title"])),
        (_("Account"), case["account"]),
        (_("Status"), _since(case["status"], style.day(case["status_since"]))),
        (_("Stage"), _since(stage, style.day(case["stage_since"]))),
        (_("Filed"), style.day(case["submitted_on"])),
        (_("Last checked"), style.moment(case["last_read_at"])),
        (_("Finished"), _("no longer checked") if case["finished"] else ""),
        *((part["title"], part["status"]) for part in case["parts"]),
    )
    return ((label, value) for label, value in facts if value)


def _joined(*texts: str | None) -> str:
    return ", ".join(filter(None, texts))


def _since(text: str | None, day: str) -> str:
    return _("{text}, since {day}", text=text, day=day) if text and day else text or ""


def _item_row(item: _Document, style: TextStyle) -> Sequence[str]:
    kind = style.catalogue.message("item", item["kind"], "name")
    task = item["title"] if item["kind"] == ItemKind.REMINDER and item["title"] else kind
    title = "" if not item["title"] or item["title"] == task else f" ({item['title']})"
    return item["id"], f"{task}{title}", _item_date(item, style), item["place"] or "", _(_STATES[item["state"]])


def _item_date(item: _Document, style: TextStyle) -> str:
    """Return the appointment, and the due date with its source."""
    appointment, source = style.appointment(time_from_json(item)), item["due_from"]
    if source is None:
        return appointment
    is_estimate = source == DueSource.ESTIMATE
    day = style.day(item["due_by_estimate"] if is_estimate else item["due_on"])
    due = f"{day} ({style.catalogue.message('due_source', source)})"
    if item["estimate_runs_until"]:
        until = style.moment(item["estimate_runs_until"])
        due = _("{due}; by 8 CFR 1.2 the period runs until {until}", due=due, until=until)
    return _joined(appointment, due)


def _letter_row(letter: _Document, style: TextStyle) -> Sequence[str]:
    file = PurePosixPath(letter["saved_as"]).name if letter["saved_as"] else ""
    return style.day(letter["dated"]), letter["title"] or "", file


def _note_text(change: _Document) -> str:
    """Return the text of a note; "" for another change, and for a note that is masked."""
    new = change["new"] if change["kind"] == ChangeKind.NOTE else None
    return str(new.get("text") or "") if isinstance(new, dict) else ""


def _change_row(change: _Document, style: TextStyle) -> Sequence[str]:
    return style.moment(change["at"]), change["summary"]
