"""When an item is due: as a sentence, within a line, and as the days that are left. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from watcher.alerts.change_facts import is_estimated
from watcher.alerts.style import TextStyle
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
    is_overdue = item.get("is_overdue") is True
    over = style.catalogue.message("general", "overdue") if is_overdue else ""
    by = _sentence(f"due_{source}", day, style)
    was = _sentence(f"was_{source}", day, style)
    verb = "respond" if kind in _RESPONSES else "deadline"
    respond = _sentence(f"{verb}_{source}", day, style)
    if not day and kind in _RESPONSES and change.kind in _ANNOUNCED:
        respond = style.catalogue.message("general", "respond_none")
    return {
        "by": f"{by} ({over})" if by and over else by,
        "was": was,
        "respond": was if is_overdue else respond,
        "over": over,
        "left": _left(item.get("days"), style, is_estimate=is_estimated(change)),
    }


def _sentence(key: str, day: str, style: TextStyle) -> str:
    return day and style.catalogue.format("general", key, due=day, agency=style.agency_name())


def _left(days: object, style: TextStyle, *, is_estimate: bool) -> str:
    if isinstance(days, int) and days <= 0:
        return style.catalogue.message("general", "left_today")
    key = "left_at_most" if is_estimate else "left_days"
    return style.catalogue.format("general", key, days=style.plural("days", days) or "…")
