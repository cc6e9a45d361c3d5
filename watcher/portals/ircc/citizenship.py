"""One application of the citizenship tracker, read to a snapshot. Pure."""

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
    """What the answer says, and its actions (None: it does not say)."""
    said = {one.activity: one.status for one in details.activities or () if one.status}
    snapshot = Snapshot(
        case_number=details.number,
        stage=meaning_of(details.status or "", vocabulary=VOCABULARY).stage,
        status=details.status or None,
        updated_at=details.updated,
        parts=sorted_parts(
            Part(key=activity, title=activity_title(activity, language), status=status)
            for activity, status in said.items()
        ),
        history=None
        if details.history is None
        else with_unique_keys(_entry(event, language) for event in details.history),
        partial=frozenset() if said.keys() >= _ACTIVITIES else frozenset({"parts"}),
    )
    actions = details.actions
    return snapshot, None if actions is None else [citizenship_item(action, language) for action in actions]


def _entry(event: CitizenshipEvent, language: Language) -> HistoryEntry:
    """The event in the tracker's words. Its text joins the title only where both are in the chosen language."""
    title = getattr(event.title, language, None)
    text = text_in(language, getattr(event.text, language, None)) if title else None
    words = text_in(language, event.title) or activity_title(event.type, language)
    return HistoryEntry(
        key=f"{event.time.isoformat()} {event.type}",
        title=f"{words}: {text}" if text and text != words else words,
        at=event.time,
        code=event.type,
    )
