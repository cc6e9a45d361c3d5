"""The trackers' answers about one application, read to a snapshot. Pure.

The stage comes from the status of the application alone, by the words of `watcher/vocabulary/ircc.toml`. History codes
never decide it: what they mean is other people's reading. "completed" says that it is over and not how.

No name of a person is kept. Where an application holds several people, what concerns the principal applicant bears no
mark; the others are told apart by a short digest of their UCI in the key and its last two digits in the title.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeVar

from watcher.case import HistoryEntry, ItemKind, Part, PendingItem, Snapshot, Stage
from watcher.errors import UnexpectedAnswer
from watcher.portals import Answers
from watcher.portals._ircc_answers import (
    Action,
    App,
    Application,
    Bilingual,
    CitizenshipDetails,
    CitizenshipEvent,
    Event,
    ImmigrationDetails,
    Relation,
    read_details,
    read_profile,
)
from watcher.portals._ircc_words import (
    Language,
    activity_title,
    language_of,
    medical_until_title,
    reading_of,
    relative_title,
    tasks_title,
    text_in,
    unnamed_action_title,
)
from watcher.stages import meaning_of

VOCABULARY: Final = "ircc"
PROFILE: Final = "get-profile-summary"
DETAILS: Final = "get-application-details"

_PRINCIPAL: Final = 1
_KINDS: Final = (
    ("biometric", ItemKind.BIOMETRICS),
    ("medical", ItemKind.MEDICAL),
    ("oath", ItemKind.OATH_CEREMONY),
)
_Keyed = TypeVar("_Keyed", HistoryEntry, PendingItem)


def read_case(answers: Answers, language: str) -> Snapshot:
    """What the trackers said about one application.

    `get-application-details` must be among the answers; `get-profile-summary` adds the type of the application and the
    number of waiting tasks. Raises `UnexpectedAnswer`.
    """
    if DETAILS not in answers:
        raise UnexpectedAnswer(f"the answer to {DETAILS} is missing")
    tongue = language_of(language)
    details = read_details(answers[DETAILS])
    if isinstance(details, ImmigrationDetails):
        snapshot, actions = _immigration(details, tongue), _actions_of_all(details, tongue)
    else:
        snapshot, actions = _citizenship(details, tongue), _actions(details.actions, _Person(), tongue)
    listed = _listed(answers, snapshot.case_number)
    return replace(
        snapshot,
        language=tongue,
        title=None if listed is None else listed.app_type or None,
        pending=_pending(actions, None if listed is None else listed.tasks, tongue),
    )


def _listed(answers: Answers, number: str) -> Application | None:
    if PROFILE not in answers:
        return None
    return next((app for app in read_profile(answers[PROFILE]).apps if app.number == number), None)


# --- the immigration tracker --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """How one person's entries are told from another's: before the key, and after the title."""

    mark: str = ""
    called: str = ""

    def key(self, key: str) -> str:
        return f"{self.mark}/{key}" if self.mark else key

    def title(self, title: str, language: Language) -> str:
        return f"{title} ({relative_title(language)} {self.called})" if self.called else title


def _immigration(details: ImmigrationDetails, language: Language) -> Snapshot:
    app, people = details.app, _people(details.relations)
    return Snapshot(
        case_number=app.number,
        form=app.lob or None,
        stage=_stage(app.status),
        status=app.status or None,
        submitted_on=_day(app),
        updated_at=app.updated,
        parts=_sorted_parts(part for person, one in people for part in _parts(one, person, language)),
        history=_history_of_all(people, language),
        partial=_partial(details.relations),
    )


def _day(app: App) -> date | None:
    """The trackers give a day as midnight UTC."""
    return None if app.received is None else app.received.date()


def _people(relations: Sequence[Relation] | None) -> list[tuple[_Person, Relation]]:
    people = relations or ()
    principals = [one for one in people if one.role == _PRINCIPAL]
    alone = len(people) == 1
    return [(_Person() if alone or [one] == principals else _relative(one), one) for one in people]


def _relative(relation: Relation) -> _Person:
    digits = "".join(sign for sign in relation.uci or "" if sign.isdigit())
    if not digits:
        raise UnexpectedAnswer(f"the answer to {DETAILS} holds several people and does not say who one of them is")
    digest = hashlib.sha256(digits.encode()).hexdigest()[:8]
    return _Person(mark=f"role{relation.role or 0}-{digest}", called=f"…{digits[-2:]}")


def _parts(relation: Relation, person: _Person, language: Language) -> Iterator[Part]:
    for activity, status in (relation.activities or {}).items():
        if status:
            title = person.title(activity_title(activity, language), language)
            yield Part(key=person.key(activity), title=title, status=status)
    if relation.medical_until is not None:
        title = person.title(medical_until_title(language), language)
        yield Part(key=person.key("imeExpiry"), title=title, status=relation.medical_until.date().isoformat())


def _history_of_all(people: Iterable[tuple[_Person, Relation]], language: Language) -> tuple[HistoryEntry, ...] | None:
    said = [(person, one.history) for person, one in people if one.history is not None]
    if not said:
        return None
    return _ordered(_event(event, person, language) for person, events in said for event in events)


def _event(event: Event, person: _Person, language: Language) -> HistoryEntry:
    return HistoryEntry(
        key=person.key(f"{event.created.isoformat()} {event.key}"),
        title=person.title(event.key, language),
        at=event.created,
        code=event.key,
        hint=reading_of(event, language),
    )


def _actions_of_all(details: ImmigrationDetails, language: Language) -> list[PendingItem] | None:
    said = [(person, one.actions) for person, one in _people(details.relations) if one.actions is not None]
    if not said:
        return None
    return [item for person, actions in said for item in _actions(actions, person, language) or ()]


def _partial(relations: Sequence[Relation] | None) -> frozenset[str]:
    """Which collections something was left out of: one person's entries, or the status of an activity."""
    people = relations or ()
    said = {
        "parts": [bool(status) for one in people for status in (one.activities or {"": None}).values()],
        "history": [one.history is not None for one in people],
        "pending": [one.actions is not None for one in people],
    }
    return frozenset(name for name, each in said.items() if any(each) and not all(each))


# --- the citizenship tracker --------------------------------------------------------------------------------------


def _citizenship(details: CitizenshipDetails, language: Language) -> Snapshot:
    activities = details.activities or ()
    parts = (
        Part(key=one.activity, title=activity_title(one.activity, language), status=one.status)
        for one in activities
        if one.status
    )
    return Snapshot(
        case_number=details.number,
        stage=_stage(details.status),
        status=details.status or None,
        updated_at=details.updated,
        parts=_sorted_parts(parts),
        history=None
        if details.history is None
        else _ordered(_citizenship_event(event, language) for event in details.history),
        partial=frozenset({"parts"} if 0 < sum(not one.status for one in activities) < len(activities) else ()),
    )


def _citizenship_event(event: CitizenshipEvent, language: Language) -> HistoryEntry:
    title, text = text_in(language, event.title), text_in(language, event.text)
    words = title or activity_title(event.type, language)
    return HistoryEntry(
        key=f"{event.time.isoformat()} {event.type}",
        title=f"{words}: {text}" if text and text != words else words,
        at=event.time,
        code=event.type,
    )


# --- both ---------------------------------------------------------------------------------------------------------


def _stage(status: str | None) -> Stage:
    return meaning_of(status or "", vocabulary=VOCABULARY).stage


def _pending(
    actions: list[PendingItem] | None, tasks: int | None, language: Language
) -> tuple[PendingItem, ...] | None:
    """What is asked for. The bare number of tasks counts only where no action says what they are."""
    if actions:
        return _ordered(actions)
    if tasks:
        return (PendingItem(key="tasks", kind=ItemKind.TASK, title=tasks_title(tasks, language)),)
    return None if actions is None or tasks is None else ()


def _actions(actions: Sequence[Action] | None, person: _Person, language: Language) -> list[PendingItem] | None:
    if actions is None:
        return None
    return [_action(action, person, language) for action in actions]


def _action(action: Action, person: _Person, language: Language) -> PendingItem:
    title, content = text_in(language, action.title), text_in(language, action.content)
    words = title or content or unnamed_action_title(language)
    return PendingItem(
        key=person.key(f"action {_action_name(action)}"),
        kind=_kind(action),
        title=person.title(words, language),
        description=content if content != words else None,
    )


def _action_name(action: Action) -> str:
    """The action's own id where it has one, else a digest of what it is about: its times move when data is reloaded."""
    if action.id is not None:
        return str(action.id)
    about = (action.key, action.activity, *_both(action.title), *(() if action.title else _both(action.content)))
    return hashlib.sha256("\0".join(word or "" for word in about).encode()).hexdigest()[:12]


def _both(text: Bilingual | str | None) -> tuple[str | None, str | None]:
    return (text.en, text.fr) if isinstance(text, Bilingual) else (text, None)


def _kind(action: Action) -> ItemKind:
    about = f"{action.activity or ''} {action.key or ''}".lower()
    for word, kind in _KINDS:
        if word in about:
            return kind
    return meaning_of(text_in("en", action.title) or "", vocabulary=VOCABULARY).asks or ItemKind.TASK


def _sorted_parts(parts: Iterable[Part]) -> tuple[Part, ...] | None:
    """None where there is none: an application always has parts, so an empty list is half an answer."""
    by_key = {part.key: part for part in parts}
    return tuple(by_key[key] for key in sorted(by_key)) or None


def _ordered(entries: Iterable[_Keyed]) -> tuple[_Keyed, ...]:
    """By key; a key that comes again gets a number, in the order of the words, so that no entry is lost."""
    kept: dict[str, _Keyed] = {}
    for entry in sorted(entries, key=lambda one: (one.key, one.title)):
        number, key = 1, entry.key
        while key in kept:
            number += 1
            key = f"{entry.key} #{number}"
        kept[key] = replace(entry, key=key)
    return tuple(kept[key] for key in sorted(kept))
