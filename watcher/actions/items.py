"""What the user says about a pending item: done, open again, or due on the day that the letter names."""

from datetime import date, timedelta

from watcher.actions import Refused
from watcher.app import App
from watcher.language.due_estimates import runs_until
from watcher.messages import _, mark
from watcher.model.case import ItemKind, ItemState
from watcher.model.ledger import TrackedItem
from watcher.portals import find

_ALREADY = {
    ItemState.ANSWERED: mark("{item} was already answered, so there are no reminders."),
    ItemState.CLOSED: mark("{item} was already closed, so there are no reminders."),
}
_NOT_REOPENED = {
    ItemState.ANSWERED: mark("{item} is answered according to the agency's website, so it cannot be reopened here."),
    ItemState.CLOSED: mark("{item} is closed according to the agency's website, so it cannot be reopened here."),
}
_WITHOUT_REMINDERS = {
    ItemState.DONE: mark("It is done, so there are no reminders."),
    ItemState.ANSWERED: mark("It is answered, so there are no reminders."),
    ItemState.CLOSED: mark("It is closed, so there are no reminders."),
}
_DUE, _MOVED = mark("{item} is due on {day} (date from your letter)."), mark("{item} is on {day}.")
_LETTER_PASSED = mark("{day} has passed. Check the date on your letter.")
_PASSED = mark("{day} has passed. Check the year.")
_MAX_DISTANCE = timedelta(days=3660)
"""No letter asks for an answer in more than ten years, so a later date is a typo."""


def described(item: TrackedItem) -> str:
    """Return an item with its number and case, for sentences."""
    return _("Item {number} ({case}: {title})", number=item.id, case=item.case_number, title=item.item.title)


def check_distance(day: date, today: date) -> None:
    """Raise `Refused` for a date more than ten years away."""
    if abs(day - today) > _MAX_DISTANCE:
        raise Refused(_("{day} is more than ten years away. Check the year.", day=day))


def set_done(app: App, number: int) -> TrackedItem | None:
    """Mark an item as done: no more reminders, no escalation. Return it; None if there is none."""
    item = app.store.ledger.set_done(number)
    if item is not None:
        app.store.outbox.acknowledge_subject(item.account, item.case_number, item.item.key, app.clock.now())
    return item


def done_text(item: TrackedItem) -> str:
    """Return what is said after an item was marked as done."""
    if item.state is ItemState.DONE:
        return _("{item} is done: no more reminders.", item=described(item))
    return _(_ALREADY[item.state], item=described(item))


def reopened_text(item: TrackedItem) -> str:
    """Return what is said after an item was to be opened again. Raises `Refused` if it is not open."""
    if item.state is not ItemState.OPEN:
        raise Refused(_(_NOT_REOPENED[item.state], item=described(item)))
    return _("{item} is open.", item=described(item))


def earlier_date(app: App, item: TrackedItem, day: date) -> str:
    """Return a warning if the agency shows an earlier date, which needs the user's confirmation; else ""."""
    stated = item.item.due_on
    if item.item.kind is ItemKind.REMINDER or stated is None or day <= stated:
        return ""
    agency = _agency(app, item.account)
    return _("{agency} shows an earlier date: {date}. The earlier one is safer.", agency=agency, date=stated)


def later_than_estimate(item: TrackedItem, day: date) -> str:
    """Return a warning if a date is later than the latest possible one; else ""."""
    stated, estimate = item.item.due_on, item.item.due_by_estimate
    if item.item.kind is ItemKind.REMINDER or stated is not None or estimate is None:
        return ""
    if day <= runs_until(item.item.kind, estimate):
        return ""
    return _(
        "{day} is later than the latest possible date, {date} (estimate). Check the date on your letter.",
        day=day,
        date=estimate,
    )


def due_texts(item: TrackedItem, day: date, today: date) -> tuple[str, str, str]:
    """Return what is said after a date was entered, a warning if it has passed, and whether there are reminders."""
    is_reminder = item.item.kind is ItemKind.REMINDER
    passed = _(_PASSED if is_reminder else _LETTER_PASSED, day=day) if day < today else ""
    without = _(_WITHOUT_REMINDERS[item.state]) if item.state is not ItemState.OPEN else ""
    return _(_MOVED if is_reminder else _DUE, item=described(item), day=day), passed, without


def _agency(app: App, account: str) -> str:
    configured = app.settings.accounts.get(account)
    return find(configured.portal).agency_of(configured) if configured else _("The agency")
