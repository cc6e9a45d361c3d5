"""The link in an alert: that one alert, as its channel may show it, and what can be done about it."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.context.read_only import ReadOnlyContext
from watcher.language.catalogue import load_catalogue
from watcher.messages import _, current_language
from watcher.model.alert import Alert
from watcher.model.case import ItemState
from watcher.model.change import RecordedChange
from watcher.model.ledger import TrackedItem
from watcher.text.link_marks import without_link
from watcher.views.cases import name_of
from watcher.views.items import task_text
from watcher.web.alerts import found, shown_alert
from watcher.web.case_ids import case_id
from watcher.web.dates import ShownDate
from watcher.web.forms import Form
from watcher.web.messages import Message, redirect
from watcher.web.outcome import Outcome
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of, visitor_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedItem:
    """An item of the alert, as far as the channel may show it."""

    id: int
    name: str
    when: ShownDate | None


def show(request: Request) -> Response:
    """Show the alert. Nothing is changed: preview fetchers of chat services come here too."""
    with context_of(request).reading() as opened:
        alerts, changes = _message(opened, _number(request))
        alert = alerts[0]
        privacy, dates = _privacy(opened, alert), dates_of(opened)
        open_items = _open_items(opened, changes)
        items = [
            LinkedItem(
                id=item.id,
                name=_name(item, privacy),
                when=None if privacy == "minimal" else dates.item(item),
            )
            for item in open_items
        ]
        about = _visible_cases(request, opened, changes)
        shown = shown_alert(alert, dates)
    token = request.path_params["token"]
    texts = [(one.title, without_link(one.body)) for one in alerts]
    return render(request, "alert_link.html", alert=shown, texts=texts, items=items, about=about, token=token)


def mark_seen(request: Request, _form: Form) -> Response:
    """Mark the alert as seen."""
    outcome = context_of(request).perform("seen", alert=_number_to_change(request))
    return _answer(request, outcome, _("Marked as seen. It will not be escalated."))


def mark_done(request: Request, form: Form) -> Response:
    """Mark an item of the alert as done."""
    number = form.number("item")
    with context_of(request).reading() as opened:
        _alerts, changes = _message(opened, _number_to_change(request))
        if number not in [item.id for item in _open_items(opened, changes)]:
            raise HTTPException(404)
    return _answer(request, context_of(request).perform("done", item=number), _("Done: no more reminders."))


def _answer(request: Request, outcome: Outcome, done: str) -> Response:
    """Return the answer. It names no case, because the channel may not be allowed to."""
    if not any(name in request.headers for name in ("cookie", "origin", "sec-fetch-site")):
        return Response(status_code=409 if outcome.refused else 204)  # a button in an app, which shows no page
    message = Message(text=outcome.refused, kind="refused") if outcome.refused else Message(text=done)
    return redirect(request, path_for(request, "alert_link", token=request.path_params["token"]), message)


def _number(request: Request) -> int:
    number = visitor_of(request).alert
    if number is None:
        raise HTTPException(404)
    return number


def _number_to_change(request: Request) -> int:
    """Return the number of the alert, unless a device that may change nothing has opened its link."""
    if visitor_of(request).read_only:
        raise HTTPException(403)
    return _number(request)


def _message(opened: ReadOnlyContext, number: int) -> tuple[list[Alert], list[RecordedChange]]:
    """Return the alert whose link was opened, with those that its message included, and the changes of all."""
    message = [found(opened, number), *opened.store.outbox.sent_with(number)]
    return [alert for alert, _changes in message], [change for _alert, changes in message for change in changes]


def _privacy(opened: ReadOnlyContext, alert: Alert) -> str:
    """Return what the channel of an alert may show; as little as possible if the channel is gone."""
    channel = opened.settings.channels.get(alert.channel)
    return channel.privacy if channel else "minimal"


def _open_items(opened: ReadOnlyContext, changes: list[RecordedChange]) -> list[TrackedItem]:
    """Return the open items that the changes are about."""
    keys = {(change.account, change.change.case_number, change.change.subject) for change in changes}
    return [
        item
        for item in opened.store.items()
        if item.state is ItemState.OPEN and (item.account, item.case_number, item.item.key) in keys
    ]


def _name(item: TrackedItem, privacy: str) -> str:
    if privacy == "full":
        return task_text(item)
    if privacy == "masked":
        return load_catalogue(current_language()).message("item", item.item.kind, "name")
    return _("Item {number}", number=item.id)


def _visible_cases(request: Request, opened: ReadOnlyContext, changes: list[RecordedChange]) -> list[tuple[str, str]]:
    """Return the cases of the alert that a device which is signed in may see anyway."""
    numbers = {change.change.case_number for change in changes}
    visitor = visitor_of(request)
    cases = {case.case_number: case for case in opened.watched_cases() if case.case_number in numbers}
    return [(case_id(case.case_number), name_of(case)) for case in cases.values() if visitor.may_see(case)]
