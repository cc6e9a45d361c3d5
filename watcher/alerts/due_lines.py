"""When an item is due: as a sentence, within a line, and as the days that are left. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from watcher.alerts.change_facts import is_estimated
from watcher.alerts.style import TextStyle
from watcher.language.date_text import parse_moment
from watcher.language.due_estimates import extended_day
from watcher.model.case import ItemKind
from watcher.model.change import Change, ChangeKind

_RESPONSES: Final = frozenset({ItemKind.RFE, ItemKind.INTENT_TO_DENY, ItemKind.DOCUMENT_REQUEST})
_ANNOUNCED: Final = frozenset({ChangeKind.RFE_RECEIVED, ChangeKind.INTENT_TO_DENY_RECEIVED, ChangeKind.ITEM_ADDED})


def due_fields(change: Change, kind: ItemKind, item: Mapping[str, Any], style: TextStyle) -> dict[str, str]:
    """Return the fields about the date of an item.

    A date from published rules is called the latest possible one, because only the letter has the date.
    """
    day, source = style.day(item.get("due_on")), str(item.get("source") or "portal")
    if not day:
        day, source = style.day(item.get("due_by_estimate")), "estimate"
    until = _business_day(kind, item) if source == "estimate" else ""
    is_announced = kind in _RESPONSES and change.kind in _ANNOUNCED and source == "estimate"
    number = style.item_number(change.subject) if is_announced else ""
    is_overdue = item.get("is_overdue") is True
    over = style.catalogue.message("general", "overdue") if is_overdue else ""

    def sentence(key: str) -> str:
        texts = {"due": day, "until": style.moment(until), "item": number, "agency": style.agency_name()}
        return day and style.catalogue.format("general", f"{key}_{source}", **texts)

    by, was = sentence("due"), sentence("was")
    respond = sentence("respond" if kind in _RESPONSES else "deadline")
    if not day and is_announced:
        respond = style.catalogue.format("general", "respond_none", item=number)
    return {
        "by": f"{by} ({over})" if by and over else by,
        "was": was,
        "respond": was if is_overdue else respond,
        "over": over,
        "left": _left(item.get("days"), style, is_estimate=is_estimated(change)),
    }


def _business_day(kind: ItemKind, item: Mapping[str, Any]) -> str:
    """Return the business day until which a computed period runs; "" if it ends on one."""
    estimate = parse_moment(item.get("due_on") or item.get("due_by_estimate"))
    if not isinstance(estimate, date) or isinstance(estimate, datetime):
        return ""
    until = extended_day(kind, estimate)
    return until.isoformat() if until else ""


def _left(days: object, style: TextStyle, *, is_estimate: bool) -> str:
    if isinstance(days, int) and days <= 0:
        return style.catalogue.message("general", "left_today")
    key = "left_at_most" if is_estimate else "left_days"
    return style.catalogue.format("general", key, days=style.plural("days", days) or "…")
