"""One case: status, stage line, items, letters, timeline, and what a person can say about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.context.read_only import ReadOnlyContext
from watcher.language.catalogue import load_catalogue
from watcher.language.explanation import explain, explain_item, explain_status
from watcher.messages import current_language
from watcher.model.case import ItemState
from watcher.model.change import ChangeKind, RecordedChange, note_text
from watcher.model.ledger import TrackedCase
from watcher.portals import find
from watcher.views.cases import agency_of, case_stalls, day_of, missing_text
from watcher.views.published_lists import list_sections, priority_text
from watcher.views.stage_line import stage_line
from watcher.views.words import item_state_text, kind_text
from watcher.web.cards import ShownItem, card, recorded_stages, shown_item
from watcher.web.case_ids import find_cases
from watcher.web.dates import Dates, ShownDate
from watcher.web.failed import NOT_FAILED, Failed
from watcher.web.letters import shown_letters
from watcher.web.render import render
from watcher.web.request import context_of, dates_of, visible

_TIMELINE = 200
"""Changes on the page; the print view has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change, note, or reminder."""

    kind: str
    severity: str
    text: str
    is_note: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was recorded at one moment."""

    when: ShownDate
    entries: Sequence[Entry]


def show(request: Request) -> Response:
    """Show one case."""
    return show_case(request, NOT_FAILED)


def show_case(request: Request, failed: Failed) -> Response:
    """Show a case, with the form that was refused, if one was."""
    with context_of(request).reading() as opened:
        cases = cases_of(request, opened)
        case = chosen(cases, request.query_params.get("account"))
        values = _values(request, case, opened)
        others = [other.account for other in cases if other.account != case.account]
    return render(request, "case.html", status=422 if failed.action else 200, failed=failed, others=others, **values)


def cases_of(request: Request, opened: ReadOnlyContext) -> list[TrackedCase]:
    """Return the case of the address, once for each account that shows it, if the visitor may see it."""
    cases = find_cases(visible(request, opened.watched_cases()), request.path_params["id"])
    if not cases:
        raise HTTPException(404)
    return cases


def chosen(cases: Sequence[TrackedCase], account: str | None) -> TrackedCase:
    """Return the case in this account, otherwise in the one that has read it last."""
    in_account = [case for case in cases if case.account == account]
    return max(
        in_account or cases, key=lambda case: (case.snapshot is not None, case.last_read_at or case.first_seen_at)
    )


def _values(request: Request, case: TrackedCase, opened: ReadOnlyContext) -> dict[str, Any]:
    dates, snapshot, settings = dates_of(opened), case.snapshot, opened.settings
    stages = recorded_stages([case], opened).get((case.account, case.case_number), set())
    changes = opened.store.history(case_number=case.case_number, accounts=[case.account], limit=_TIMELINE + 1)
    newest_first = request.query_params.get("order") != "oldest"
    account = settings.accounts[case.account]
    return {
        "case": case,
        "card": card(case, stages, opened, dates),
        "steps": stage_line(case, stages),
        "snapshot": snapshot,
        "missing": missing_text(case, opened) if case.is_missing and not case.finished else "",
        "stalls": case_stalls(case, opened) and not case.finished,
        "lists": list(list_sections(opened.lists.of_case(case, opened.today), agency=agency_of(case.account, opened))),
        "items": _items(case, opened, dates),
        "filed": dates.day(snapshot.submitted_on) if snapshot and snapshot.submitted_on else None,
        "stage_since": dates.day(case.stage_since) if case.stage_since else None,
        "last_read": dates.moment(case.last_read_at) if case.last_read_at else None,
        "meaning": _meaning(case),
        "link": find(account.portal).links(account).sign_in,
        "priority": priority_text(case.priority) if case.priority else "",
        "letters": shown_letters(case.notices, {}, dates),
        "timeline": _timeline(changes[:_TIMELINE], dates, newest_first=newest_first),
        "is_cut": len(changes) > _TIMELINE,
        "newest_first": newest_first,
        "today": dates.now.astimezone(settings.office_zone(case.account)).date().isoformat(),
    }


def _meaning(case: TrackedCase) -> dict[str, str]:
    """Return what the status means, what usually follows, advice, and the official page about it."""
    if case.snapshot is None:
        return {}
    catalogue, snapshot = load_catalogue(current_language()), case.snapshot
    text = explain_status(snapshot.status_title, snapshot.stage, catalogue)
    page = explain(snapshot.status_title or snapshot.stage, language=current_language()).page
    return {
        "plain": text.plain,
        "next": text.next,
        "advice": catalogue.message("general", "advice"),
        "page": page,
    }


def _items(case: TrackedCase, opened: ReadOnlyContext, dates: Dates) -> list[dict[str, Any]]:
    """Return all items, the open ones first, the soonest first."""
    catalogue = load_catalogue(current_language())
    ordered = sorted(
        case.items,
        key=lambda item: (item.state is not ItemState.OPEN, day_of(item, opened.settings), item.id),
    )
    return [
        {
            "shown": shown_item(case, item, dates),
            "state": item_state_text(item.state),
            "open": item.state is ItemState.OPEN,
            "done": item.state is ItemState.DONE,
            "place": item.item.place,
            "description": item.item.description,
            "meaning": explain_item(item.item.kind, item.item.title, catalogue).plain,
            "due_on": item.due[0].isoformat() if item.due else "",
            "dated": not item.item.kind.is_appointment,
        }
        for item in ordered
    ]


def _timeline(changes: Sequence[RecordedChange], dates: Dates, *, newest_first: bool) -> list[Moment]:
    """Return the timeline. What one check recorded stands together."""
    ordered = changes if newest_first else changes[::-1]
    return [
        Moment(when=dates.moment(at), entries=[_entry(recorded) for recorded in together])
        for at, together in groupby(ordered, key=lambda recorded: recorded.at)
    ]


def _entry(recorded: RecordedChange) -> Entry:
    change = recorded.change
    return Entry(
        kind=kind_text(change.kind),
        severity=change.severity.value,
        text=note_text(change) or recorded.summary,
        is_note=change.kind is ChangeKind.NOTE,
    )


def item_of(request: Request, opened: ReadOnlyContext, number: int) -> tuple[TrackedCase, ShownItem]:
    """Return an item with this number, and its case, if the visitor may see it."""
    dates = dates_of(opened)
    for case in visible(request, opened.watched_cases()):
        for item in case.items:
            if item.id == number:
                return case, shown_item(case, item, dates)
    raise HTTPException(404)
