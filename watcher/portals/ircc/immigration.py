"""Snapshots of the immigration tracker's applications. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from watcher.errors import UnexpectedAnswer
from watcher.language.status_meaning import meaning_of
from watcher.messages import _
from watcher.model.case import HistoryEntry, Part, PendingItem, Snapshot
from watcher.portals.ircc.answers import Event, ImmigrationDetails, Relation
from watcher.portals.ircc.entries import Person, sorted_parts, with_unique_keys
from watcher.portals.ircc.pending_items import ACTIONS_SOURCE, VOCABULARY, immigration_item
from watcher.portals.ircc.wording import Language, activity_title, history_hint, medical_until_title, text_in

_PRINCIPAL: Final = 1
_ACTIVITIES: Final = frozenset({"eligibility", "medical", "biometrics", "background"})

People: TypeAlias = Sequence[tuple[Person, Relation]]


def read_immigration(details: ImmigrationDetails, language: Language) -> tuple[Snapshot, list[PendingItem] | None]:
    """Return the snapshot, still without pending items, and the actions (None if the answer has no list of them).

    Raises `UnexpectedAnswer`.
    """
    app, people = details.app, _people(details.relations or ())
    answered = _history_sources(one for one in people if one[1].history is not None)
    snapshot = Snapshot(
        case_number=app.number,
        form=text_in(language, app.lob),
        stage=meaning_of(app.status or "", vocabulary=VOCABULARY).stage,
        status=text_in(language, app.status),
        submitted_on=None if app.received is None else app.received.date(),  # dates are sent as midnight UTC
        updated_at=app.updated,
        parts=sorted_parts(part for person, relation in people for part in _parts(relation, person, language)),
        history=_history(people, language),
        silent=_incomplete_collections(people) | (_history_sources(people) - answered),
        answered_sources=answered,
    )
    return snapshot, _actions(people, language)


def _people(relations: Sequence[Relation]) -> People:
    if len(relations) == 1:
        return [(Person(), relations[0])]
    principals = [one for one in relations if one.role == _PRINCIPAL]
    return [(Person() if [one] == principals else _relative(one), one) for one in relations]


def _relative(relation: Relation) -> Person:
    digits = "".join(char for char in relation.uci or "" if char.isdigit())
    if not digits or relation.role is None:
        raise UnexpectedAnswer(_("the tracker shows several people without identifying one of them"))
    digest = hashlib.sha256(digits.encode()).hexdigest()[:8]
    return Person(key_prefix=f"role{relation.role}-{digest}", label=f"…{digits[-2:]}")


def _parts(relation: Relation, person: Person, language: Language) -> Iterator[Part]:
    for activity, text in (relation.activities or {}).items():
        if status := text_in(language, text):
            title = person.title(activity_title(activity, language), language)
            yield Part(key=person.key(activity), title=title, status=status)
    if relation.medical_until is not None:
        title = person.title(medical_until_title(language), language)
        yield Part(key=person.key("imeExpiry"), title=title, status=relation.medical_until.date().isoformat())


def _history(people: People, language: Language) -> tuple[HistoryEntry, ...] | None:
    histories = [(person, relation.history) for person, relation in people if relation.history is not None]
    if not histories:
        return None
    return with_unique_keys(_entry(event, person, language) for person, events in histories for event in events)


def _history_sources(people: Iterable[tuple[Person, Relation]]) -> frozenset[str]:
    """Return the source of each person's history: one may be missing while another is there."""
    return frozenset(person.key("history") for person, _ in people)


def _entry(event: Event, person: Person, language: Language) -> HistoryEntry:
    return HistoryEntry(
        key=person.key(f"{event.created.isoformat()} {event.key}"),
        title=person.title(event.key, language),
        at=event.created,
        code=event.key,
        hint=history_hint(event, language),
        source=person.key("history"),
    )


def _actions(people: People, language: Language) -> list[PendingItem] | None:
    lists = [(person, relation.actions) for person, relation in people if relation.actions is not None]
    if not lists:
        return None
    return [immigration_item(action, person, language) for person, actions in lists for action in actions]


def _incomplete_collections(people: People) -> frozenset[str]:
    """Return the collections that lack something: one person's entries, or a part that every application has.

    Null means unknown, so the date of a medical examination does not disappear because it was null once.
    """
    relations = [one for _, one in people]
    names = set()
    if any(_has_missing_parts(one) for one in relations):
        names.add("parts")
    if any(one.actions is None for one in relations) and any(one.actions is not None for one in relations):
        names.add(ACTIONS_SOURCE)
    return frozenset(names)


def _has_missing_parts(relation: Relation) -> bool:
    activities = {activity for activity, status in (relation.activities or {}).items() if status}
    return relation.medical_until is None or not activities >= _ACTIVITIES
