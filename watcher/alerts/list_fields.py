"""The fields of messages about changes that published lists cause. Pure.

Each sentence names the list and its day, or its month.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from watcher.alerts.style import MAX_REASON_LENGTH, TextStyle
from watcher.model.change import Change

_Json: TypeAlias = Mapping[str, Any]
_ENDING = re.compile(r"\.(?:csv|json|txt)$", re.IGNORECASE)
_REASONS = {"date": "priority_date", "current": "priority_all", "unavailable": "priority_none"}


def inquiry_fields(_: Change, __: _Json, new: _Json, style: TextStyle) -> dict[str, str]:
    """Return the fields of the change that the person may ask about a case."""
    return {
        "received": style.day(new.get("received_on")),
        "inquiry_date": style.day(new.get("inquiry_date")),
        "as_of": style.day(new.get("as_of")),
        "list": source_text(new.get("list"), style),
    }


def priority_fields(change: Change, _: _Json, new: _Json, style: TextStyle) -> dict[str, str]:
    """Return the fields of a priority date that became current, or went back."""
    catalogue, cutoff = style.catalogue, new.get("cutoff")
    fields = {
        "chart": _named(new.get("chart"), "chart", style),
        "bulletin": style.month(new.get("bulletin")),
        "category": style.portal_text(new.get("category")),
        "country": _named(new.get("country"), "country", style) or style.portal_text(new.get("country")),
        "priority": style.day(new.get("priority_on")),
        "cutoff": style.day(new.get("cutoff_on")),
        "list": source_text(new.get("list"), style),
    }
    key = _REASONS.get(cutoff, "") if isinstance(cutoff, str) else ""
    reason = f"{key}_{change.kind.value.removeprefix('priority_')}" if key == "priority_date" else key
    accepted, chart = new.get("accepted"), new.get("chart")
    filing = "unknown" if accepted is None else "this" if accepted == chart else "other"
    source = source_text(new.get("filing_list"), style)
    return fields | {
        "because": catalogue.format("general", reason, **fields),
        "accepted": catalogue.format("general", f"accepted_{filing}", bulletin=fields["bulletin"], list=source),
    }


def list_fields(_: Change, __: _Json, new: _Json, style: TextStyle) -> dict[str, str]:
    """Return the fields of a list that cannot be used, or can be used again."""
    return {
        "name": _named(new.get("name"), "list", style),
        "reason": style.portal_text(new.get("reason"), max_length=MAX_REASON_LENGTH).rstrip("."),
        "list": source_text(new.get("list"), style),
        "saved": style.day(new.get("saved_on")),
    }


def source_text(value: object, style: TextStyle) -> str:
    """Return the name of a list. The ending of a file would be taken for a link, and written with a space."""
    return style.portal_text(_ENDING.sub("", value) if isinstance(value, str) else value)


def _named(value: object, section: str, style: TextStyle) -> str:
    return style.catalogue.message(section, value) if isinstance(value, str) else ""
