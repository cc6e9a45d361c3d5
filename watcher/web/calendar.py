"""Every date: as a month, as a list, and as a feed that a calendar program subscribes to."""

import hashlib
from calendar import Calendar
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from watcher.context.read_only import ReadOnlyContext
from watcher.export.calendar_file import calendar_content
from watcher.language.date_text import month_text, weekday_text
from watcher.model.case import ItemState
from watcher.model.ledger import TrackedCase
from watcher.privacy.web_tokens import new_token
from watcher.views.cases import day_of
from watcher.web.cards import ShownItem, shown_item
from watcher.web.dates import Dates
from watcher.web.forms import Form
from watcher.web.messages import Message, keep_once, kept_once, redirect
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of, visible, visitor_of

_FEED = "feed"
_SUNDAY = 6
_WEEK = timedelta(days=7)


def show(request: Request) -> Response:
    """Show a month, and the dates from today on."""
    with context_of(request).reading() as opened:
        dates = dates_of(opened)
        today = dates.now.astimezone(opened.settings.timezone).date()
        entries = _entries(visible(request, opened.watched_cases()), opened, dates)
    month = _month(request.query_params.get("month", ""), today)
    by_day: dict[date, list[ShownItem]] = defaultdict(list)
    for day, item in entries:
        by_day[day].append(item)
    weeks = Calendar(_SUNDAY).monthdatescalendar(month.year, month.month)
    response = render(
        request,
        "calendar.html",
        month=month,
        name=month_text(month, dates.catalogue),
        weekdays=[weekday_text(day, dates.catalogue) for day in weeks[0]],
        weeks=weeks,
        by_day=by_day,
        today=today,
        before=_other_month(month, -1),
        after=_other_month(month, 1),
        ahead=[item for day, item in entries if item.state is ItemState.OPEN or day >= today],
        past=[item for day, item in reversed(entries) if item.state is not ItemState.OPEN and day < today],
        address=kept_once(request, _FEED),
    )
    keep_once(request, response, _FEED, "")
    return response


def renew(request: Request, _form: Form) -> Response:
    """Make a new address for the feed; the one before ends."""
    token, visitor, context = new_token(), visitor_of(request), context_of(request)
    outcome = context.perform("calendar", token=token, person=visitor.person)
    path = path_for(request, "calendar")
    if outcome.refused:
        return redirect(request, path, Message(text=outcome.refused, kind="refused"))
    response = redirect(request, path, *(Message(text=text) for text in outcome.texts))
    keep_once(request, response, _FEED, _address(request, token))
    return response


def feed(request: Request) -> Response:
    """Send the same dates as `calendar_file`, of the cases that the address is for."""
    with context_of(request).reading() as opened:
        content = calendar_content(visible(request, opened.watched_cases()), opened.settings)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="case-watcher.ics"'
    return Response(content, media_type="text/calendar", headers=headers)


def _entries(cases: Sequence[TrackedCase], opened: ReadOnlyContext, dates: Dates) -> list[tuple[date, ShownItem]]:
    """Return the items that have a date, by their days."""
    entries = [
        (day, shown_item(case, item, dates))
        for case in cases
        for item in case.items
        if item.state is not ItemState.CLOSED and (day := day_of(item, opened.settings)) != date.max
    ]
    return sorted(entries, key=lambda entry: (entry[0], entry[1].id))


def _month(text: str, today: date) -> date:
    """Return the first day of the month in the address, otherwise of this month."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return month if date.min + _WEEK * 8 < month < date.max - _WEEK * 8 else today.replace(day=1)


def _other_month(month: date, step: int) -> str:
    other = (month + timedelta(days=45) if step > 0 else month - timedelta(days=1)).replace(day=1)
    return f"{other:%Y-%m}"


def _address(request: Request, token: str) -> str:
    url = context_of(request).settings.web.url
    if url:
        return f"{url.rstrip('/')}/calendar/{token}.ics"
    return str(request.url_for("calendar_feed", token=token))
