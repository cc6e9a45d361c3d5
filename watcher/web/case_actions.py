"""What a person says about a case or one of its items."""

from collections.abc import Callable
from datetime import date
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watcher.messages import _
from watcher.views.cases import name_of
from watcher.web.cards import shown_item
from watcher.web.case import cases_of, chosen, item_of, show_case
from watcher.web.case_ids import case_id
from watcher.web.context import WebContext
from watcher.web.failed import Failed
from watcher.web.forms import Form, day_of_form
from watcher.web.letters import show_letters
from watcher.web.messages import Message, redirect
from watcher.web.outcome import Outcome
from watcher.web.render import path_for, render
from watcher.web.request import context_of, dates_of

_MAX_DATES = 5


def _label(context: WebContext, number: str, form: Form) -> Outcome:
    return context.perform("label", case=number, label=form.text("label"), person=form.text("person"))


def _note(context: WebContext, number: str, form: Form) -> Outcome:
    return context.perform("note", case=number, text=form.text("text"))


def _remind(context: WebContext, number: str, form: Form) -> Outcome:
    return context.perform("remind", case=number, text=form.text("text"), day=day_of_form(form))


def _letter(context: WebContext, number: str, form: Form) -> Outcome:
    if form.file is None:
        return Outcome(refused=_("Choose a file first."))
    return context.perform("letter", case=number, file=form.file)


def _finish(context: WebContext, number: str, _form: Form) -> Outcome:
    return context.perform("finish", case=number)


def _watch(context: WebContext, number: str, _form: Form) -> Outcome:
    return context.perform("watch", case=number)


_CASE_ACTIONS: dict[str, Callable[[WebContext, str, Form], Outcome]] = {
    "label": _label,
    "note": _note,
    "remind": _remind,
    "letter": _letter,
    "finish": _finish,
    "watch": _watch,
}


def act_on_case(request: Request, form: Form, refuse: Callable[[Request, Failed], Response] = show_case) -> Response:
    """Carry out an action on a case. `refuse` shows the page with the form that was refused."""
    name, context = request.path_params["action"], context_of(request)
    if name not in _CASE_ACTIONS:
        raise HTTPException(404)
    with context.reading() as opened:
        case = chosen(cases_of(request, opened), None)
    outcome = _CASE_ACTIONS[name](context, case.case_number, form)
    if outcome.refused:
        return refuse(request, Failed(action=name, text=outcome.refused, fields=form.fields))
    path = path_for(request, "case", id=request.path_params["id"])
    if outcome.days:
        days = urlencode({"days": ",".join(day.isoformat() for day in outcome.days)})
        path = f"{path_for(request, 'letter_dates', id=request.path_params['id'])}?{days}"
    return redirect(request, path, *map(_done, outcome.texts))


def keep_letter(request: Request, form: Form) -> Response:
    """Keep a letter of the visitor's own, from the page with all letters."""
    request.path_params.update(id=form.text("case"), action="letter")
    return act_on_case(request, form, refuse=show_letters)


def act_on_item(request: Request, form: Form) -> Response:
    """Mark an item as done, open it again, or enter the date of its letter."""
    name, number, context = request.path_params["action"], request.path_params["id"], context_of(request)
    with context.reading() as opened:
        case, _item = item_of(request, opened, number)
    request.path_params["id"] = case_id(case.case_number)
    if name == "due":
        day, confirmed = day_of_form(form), form.text("confirmed") == "1"
        outcome = context.perform("due", item=number, day=day, confirmed=confirmed)
    elif name in {"done", "reopen"}:
        outcome = context.perform(name, item=number)
    else:
        raise HTTPException(404)
    if text := outcome.refused or outcome.confirm:
        confirm = bool(outcome.confirm)
        return show_case(request, Failed(action=name, item=number, text=text, confirm=confirm, fields=form.fields))
    path = f"{path_for(request, 'case', id=request.path_params['id'])}#item-{number}"
    return redirect(request, path, *map(_done, outcome.texts))


def show_letter_dates(request: Request) -> Response:
    """Offer the dates that a letter names: as a due date of an open item, or as a reminder."""
    with context_of(request).reading() as opened:
        cases, dates = cases_of(request, opened), dates_of(opened)
        case = chosen(cases, None)
        items = [shown_item(one, item, dates) for one in cases for item in one.items if item.can_be_in_letter]
        days = [dates.day(day) for day in _days(request.query_params.get("days", ""))]
    name, identity = name_of(case), case_id(case.case_number)
    return render(request, "letter_dates.html", case=name, case_id=identity, items=items, days=days)


def _days(text: str) -> list[date]:
    """Return the dates in the address of the page, skipping what is not a date."""
    days = []
    for part in text.split(",")[:_MAX_DATES]:
        try:
            days.append(date.fromisoformat(part))
        except ValueError:
            continue
    return days


def _done(text: str) -> Message:
    return Message(text=text)
