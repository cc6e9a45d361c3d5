"""Alerts: what was sent, to whom, when, and whether it arrived."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.context.read_only import ReadOnlyContext
from watcher.messages import _
from watcher.model.alert import Alert, AlertState
from watcher.model.change import RecordedChange
from watcher.text.link_marks import without_link
from watcher.views.cases import name_of
from watcher.views.words import alert_text
from watcher.web.case_ids import case_id
from watcher.web.dates import Dates, ShownDate
from watcher.web.forms import Form
from watcher.web.messages import Message, redirect
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of, require_all

_MAX_ALERTS = 100
_MAX_NUMBER = 2**63 - 1
"""The largest number that a database keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAlert:
    """An alert as it is shown."""

    id: int
    title: str
    channel: str
    state: str
    failed: bool
    waiting: bool
    severity: str
    created: ShownDate
    sent: ShownDate | None
    next: ShownDate | None
    error: str | None
    note: str | None
    attempts: int


def show(request: Request) -> Response:
    """Show the alerts, the newest first."""
    require_all(request)
    state = request.query_params.get("state", "")
    chosen = AlertState(state) if state in set(AlertState) else None
    with context_of(request).reading() as opened:
        dates = dates_of(opened)
        alerts = [shown_alert(alert, dates) for alert in opened.store.outbox.list(limit=_MAX_ALERTS, state=chosen)]
        counts = opened.store.outbox.counts()
    states = [(one.value, alert_text(one), counts[one]) for one in AlertState if counts[one]]
    return render(request, "alerts.html", alerts=alerts, states=states, chosen=state if chosen else "")


def show_one(request: Request) -> Response:
    """Show one alert in full."""
    require_all(request)
    with context_of(request).reading() as opened:
        alert, changes = found(opened, request.path_params["id"])
        dates = dates_of(opened)
        cases = {case.case_number: name_of(case) for case in opened.watched_cases()}
        numbers = dict.fromkeys(change.change.case_number for change in changes if change.change.case_number)
        about = [(case_id(number), cases[number]) for number in numbers if number in cases]
        shown = shown_alert(alert, dates)
    return render(request, "alert.html", alert=shown, body=without_link(alert.body), about=about)


def found(opened: ReadOnlyContext, number: int) -> tuple[Alert, list[RecordedChange]]:
    """Return an alert and its changes."""
    one = opened.store.outbox.find(number) if number <= _MAX_NUMBER else None
    if one is None:
        raise HTTPException(404)
    return one[0], list(one[1])


def act(request: Request, form: Form) -> Response:
    """Mark an alert as seen, or try to send it again."""
    require_all(request)
    del form
    name, number, context = request.path_params["action"], request.path_params["id"], context_of(request)
    if name not in {"seen", "retry"}:
        raise HTTPException(404)
    with context.reading() as opened:
        found(opened, number)
    outcome = context.perform(name, alert=number)
    path = path_for(request, "alert", id=number)
    if outcome.refused:
        return redirect(request, path, Message(text=outcome.refused, kind="refused"))
    return redirect(request, path, *(Message(text=text) for text in outcome.texts))


def shown_alert(alert: Alert, dates: Dates) -> ShownAlert:
    """Return an alert as it is shown."""
    return ShownAlert(
        id=alert.id,
        title=alert.title,
        channel=alert.channel,
        state=alert_text(alert.state),
        failed=alert.state is AlertState.FAILED,
        waiting=alert.state in {AlertState.QUEUED, AlertState.HELD},
        severity=alert.severity.value,
        created=dates.moment(alert.created_at),
        sent=dates.moment(alert.sent_at) if alert.sent_at else None,
        next=dates.moment(alert.next_attempt_at) if alert.next_attempt_at else None,
        error=alert.last_error,
        note=_(alert.note) if alert.note else None,
        attempts=alert.attempts,
    )
