"""The overview: what is new, what needs the user, the cases, and the accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from watcher.context.read_only import ReadOnlyContext
from watcher.model.case import Stage
from watcher.model.change import ChangeKind, RecordedChange, Severity
from watcher.model.ledger import TrackedCase
from watcher.store.database.daemon_lock import daemon_holds
from watcher.text.case_numbers import normalized_number
from watcher.text.person_names import normalized_name
from watcher.views.accounts import ShownAccount, is_never_checked, shown_accounts
from watcher.views.cases import (
    Filters,
    groups_of,
    is_same_person,
    missing_cases,
    missing_text,
    name_of,
    needed_items,
    stage_name,
)
from watcher.views.words import kind_text
from watcher.web.cards import Card, account_lines, card, recorded_stages, shown_item
from watcher.web.case_ids import case_id
from watcher.web.dates import Dates, ShownDate
from watcher.web.device import keep_seen, seen_by
from watcher.web.forms import Form
from watcher.web.messages import redirect
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of, sees_all, visible

PAGE_SIZE = 50
"""Cards on one page."""

_MAX_NEWS = 20
_SEVERITIES = (Severity.URGENT, Severity.IMPORTANT, Severity.ROUTINE)
_MAX_NEEDS = 20
_FIRST_NEWS = timedelta(days=7)
"""What is new on a device that never said what it has seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A change as it is shown."""

    id: int
    when: ShownDate
    about: str
    case_id: str | None
    account: str | None
    kind: str
    severity: str
    text: str


def show(request: Request) -> Response:
    """Show the overview."""
    with context_of(request).reading() as opened:
        return render(request, "overview.html", **_values(request, opened))


def mark_seen(request: Request, form: Form) -> Response:
    """Remember on this device that the changes on the page were seen."""
    response = redirect(request, path_for(request, "overview"))
    keep_seen(request, response, change=form.number("change"), now=context_of(request).clock.now())
    return response


def _values(request: Request, opened: ReadOnlyContext) -> dict[str, Any]:
    dates, everything = dates_of(opened), visible(request, opened.watched_cases())
    filters, words = _filters(request), request.query_params.get("q", "").strip()
    cases = [case for case in filters.apply(everything, opened) if _matches(case, words)]
    accounts = shown_accounts(opened)
    lines = account_lines(accounts.values(), opened, dates) if sees_all(request) else []
    page, stages = _page(request), _stages(everything)
    todo, missing = needed_items(everything, opened), missing_cases(everything)
    groups, pages = _cards(cases, page, opened, dates)
    seen = seen_by(request)
    news = changes_of(request, everything, opened, dates, limit=_MAX_NEWS + 1)
    return {
        "news": news[:_MAX_NEWS],
        "newest": _newest(opened),
        "more_news": len(news) > _MAX_NEWS,
        "seen": dates.moment(seen.at) if seen else None,
        "waiting": [line for line in lines if line.waits],
        "missing": [(case_id(case.case_number), missing_text(case, opened)) for case in missing[:_MAX_NEEDS]],
        "todo": [shown_item(case, item, dates) for case, item in todo[:_MAX_NEEDS]],
        "more_todo": max(0, len(todo) - _MAX_NEEDS),
        "groups": groups,
        "count": len(cases),
        "total": len(everything),
        "filters": filters,
        "words": words,
        "people": _people(everything),
        "account_names": sorted({case.account for case in everything}),
        "stages": [(stage.value, stage_name(stage)) for stage in Stage if stage in stages],
        "filters_used": bool(words) or filters != Filters(),
        "all_seen": sees_all(request),
        "accounts": lines,
        "last_check": _last_check(accounts, dates),
        "never_checked": is_never_checked(accounts),
        "stopped": _is_stopped(opened),
        "page": page,
        "pages": pages,
        "query": lambda number: _query(request, number),
    }


def _filters(request: Request) -> Filters:
    asked = request.query_params
    return Filters(
        account=asked.get("account") or None,
        person=asked.get("person") or None,
        stage=asked.get("stage") or None,
        needs_me=asked.get("needs_me") == "1",
    )


def _matches(case: TrackedCase, words: str) -> bool:
    """Return whether the label, the person, or the number of a case contains what was searched for."""
    if not words:
        return True
    number = normalized_number(words)
    names = normalized_name(f"{case.label or ''} {case.person or ''}")
    return normalized_name(words) in names or bool(number and number in normalized_number(case.case_number))


def _page(request: Request) -> int:
    asked = request.query_params.get("page", "1")
    return min(max(int(asked), 1), 10**6) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1  # noqa: PLR2004


def _query(request: Request, number: int) -> str:
    """Return the query of another page with the same filters."""
    return urlencode({**request.query_params, "page": number})


def _cards(
    cases: Sequence[TrackedCase], page: int, opened: ReadOnlyContext, dates: Dates
) -> tuple[list[tuple[str, list[Card]]], int]:
    """Return the cards of one page in their groups, and how many pages there are."""
    ordered = [(heading, case) for heading, group in groups_of(cases, opened) for case in group]
    chosen = ordered[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    stages = recorded_stages([case for _heading, case in chosen], opened)
    groups: list[tuple[str, list[Card]]] = []
    for heading, case in chosen:
        if not groups or groups[-1][0] != heading:
            groups.append((heading, []))
        groups[-1][1].append(card(case, stages.get((case.account, case.case_number), ()), opened, dates))
    return groups, max(1, -(-len(ordered) // PAGE_SIZE))


def changes_of(
    request: Request, cases: Sequence[TrackedCase], opened: ReadOnlyContext, dates: Dates, *, limit: int
) -> list[News]:
    """Return what this device has not seen of what the visitor may see, newest first, the urgent first of one check."""
    seen = seen_by(request)
    if seen is None:
        changes = opened.store.history(since=dates.now - _FIRST_NEWS, limit=limit * 10)
    else:
        changes = list(takewhile(lambda change: change.id > seen.change, opened.store.history(limit=limit * 10)))
    names = {(case.account, case.case_number): name_of(case) for case in cases}
    shown = [change for change in changes if _is_shown(change, names, all_seen=sees_all(request))]
    shown.sort(key=lambda change: (-change.at.timestamp(), _SEVERITIES.index(change.change.severity)))
    return [_news(change, names, dates) for change in shown[:limit]]


def _is_shown(recorded: RecordedChange, names: dict[tuple[str, str], str], *, all_seen: bool) -> bool:
    change = recorded.change
    if change.kind is ChangeKind.NOTE:
        return False
    return all_seen if change.case_number is None else (recorded.account, change.case_number) in names


def _news(recorded: RecordedChange, names: dict[tuple[str, str], str], dates: Dates) -> News:
    change = recorded.change
    number = change.case_number
    about = names[recorded.account, number] if number else recorded.account or change.subject or ""
    return News(
        id=recorded.id,
        when=dates.moment(recorded.at),
        about=about,
        case_id=case_id(number) if number else None,
        account=recorded.account or None,
        kind=kind_text(change.kind),
        severity=change.severity.value,
        text=recorded.summary,
    )


def _last_check(accounts: Mapping[str, ShownAccount], dates: Dates) -> ShownDate | None:
    """Return when any account was checked last."""
    checks = [account.health.last_read_at for account in accounts.values() if account.health]
    last = max(filter(None, checks), default=None)
    return dates.moment(last) if last else None


def _newest(opened: ReadOnlyContext) -> int:
    changes = opened.store.history(limit=1)
    return changes[0].id if changes else 0


def _people(cases: Sequence[TrackedCase]) -> list[str]:
    people: list[str] = []
    for case in cases:
        if case.person and not any(is_same_person(case.person, person) for person in people):
            people.append(case.person)
    return sorted(people, key=str.casefold)


def _stages(cases: Sequence[TrackedCase]) -> set[Stage]:
    return {case.snapshot.stage if case.snapshot else Stage.UNKNOWN for case in cases}


def _is_stopped(opened: ReadOnlyContext) -> bool:
    """Return whether no daemon uses the database file. On a server, nobody can tell."""
    file = opened.store.file
    return file is not None and not daemon_holds(file)
