"""Parts of a snapshot as JSON, as the history and alerts hold them. Pure."""

from watcher.clock.timestamps import iso_text
from watcher.model.appointment_time import time_json
from watcher.model.case import HistoryEntry, Notice, Part, PendingItem, Snapshot
from watcher.model.change import CloseReason, Json


def closed_json(item: PendingItem, reason: CloseReason) -> dict[str, Json]:
    """Return an item that is over, with the reason."""
    return item_json(item) | {"reason": reason.value}


def item_json(item: PendingItem) -> dict[str, Json]:
    """Return a pending item as the history and alerts hold it."""
    return {
        "key": item.key,
        "kind": item.kind.value,
        "title": item.title,
        "description": item.description,
        "due_on": iso_text(item.due_on),
        "due_by_estimate": iso_text(item.due_by_estimate),
        **time_json(item.starts_at),
        "place": item.place,
        "asked_on": iso_text(item.asked_on),
        "state": item.state.value,
    }


def status_json(case: Snapshot) -> Json:
    """Return a status."""
    return {
        "stage": case.stage.value,
        "status": case.status,
        "description": case.description,
        "since": iso_text(case.status_since),
    }


def notice_json(notice: Notice) -> Json:
    """Return a notice."""
    return {"key": notice.key, "title": notice.title, "dated": iso_text(notice.dated)}


def history_json(entry: HistoryEntry) -> Json:
    """Return an entry of the portal's history."""
    return {"key": entry.key, "title": entry.title, "at": iso_text(entry.at), "code": entry.code, "hint": entry.hint}


def part_json(part: Part | None) -> Json:
    """Return a part."""
    return None if part is None else {"key": part.key, "title": part.title, "status": part.status}
