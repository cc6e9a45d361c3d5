"""Snapshots of the citizenship tracker's applications. Pure."""

from typing import Final

from watcher.language.status_meaning import meaning_of
from watcher.model.case import HistoryEntry, Part, PendingItem, Snapshot
from watcher.portals.ircc.answers import CitizenshipDetails, CitizenshipEvent
from watcher.portals.ircc.entries import sorted_parts, with_unique_keys
from watcher.portals.ircc.pending_items import VOCABULARY, citizenship_item
from watcher.portals.ircc.wording import Language, activity_title, text_in

_ACTIVITIES: Final = frozenset(
    {"language", "backgroundVerification", "residency", "prohibitions", "citizenshipTest", "citizenshipOath"}
)


def read_citizenship(details: CitizenshipDetails, language: Language) -> tuple[Snapshot, list[PendingItem] | None]:
    """Return the snapshot, still without pending items, and the actions (None if the answer has no list of them)."""
    statuses = {one.activity: status for one in details.activities or () if (status := text_in(language, one.status))}
    snapshot = Snapshot(
        case_number=details.number,
        stage=meaning_of(details.status or "", vocabulary=VOCABULARY).stage,
        status=text_in(language, details.status),
        updated_at=details.updated,
        parts=sorted_parts(
            Part(key=activity, title=activity_title(activity, language), status=status)
            for activity, status in statuses.items()
        ),
        history=None
        if details.history is None
        else with_unique_keys(_entry(event, language) for event in details.history),
        silent=frozenset() if statuses.keys() >= _ACTIVITIES else frozenset({"parts"}),
    )
    actions = details.actions
    return snapshot, None if actions is None else [citizenship_item(action, language) for action in actions]


def _entry(event: CitizenshipEvent, language: Language) -> HistoryEntry:
    """Return the event in the tracker's words. The text is appended only if it and the title are in `language`."""
    title = getattr(event.title, language, None)
    text = text_in(language, getattr(event.text, language, None)) if title else None
    heading = text_in(language, event.title) or activity_title(event.type, language)
    return HistoryEntry(
        key=f"{event.time.isoformat()} {event.type}",
        title=f"{heading}: {text}" if text and text != heading else heading,
        at=event.time,
        code=event.type,
        source="history",
    )
