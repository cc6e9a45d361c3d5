"""List the changes between two normalized snapshots of a case (`watcher.reading.normalize`). Pure.

The list is empty exactly if nothing changed at the portal. These are not changes: the same text in another language, a
field that the stored snapshot never had, and the same text that our own rules now map to another stage.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from watcher.clock.timestamps import iso_text
from watcher.language.status_meaning import Meaning, meaning_of
from watcher.model.appointment_time import time_json
from watcher.model.case import (
    STATUS_FIELDS,
    STATUS_TEXT_FIELDS,
    HistoryEntry,
    ItemKind,
    ItemState,
    Notice,
    Part,
    PendingItem,
    Snapshot,
)
from watcher.model.change import Change, ChangeKind, Json, Severity, severity_of
from watcher.reading.normalize import in_same_terms

_DETAILS = ("form", "title", "submitted_on", "office")


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_Entry = TypeVar("_Entry", bound=_Keyed)
_Sourced = TypeVar("_Sourced", Notice, HistoryEntry)


@dataclass(frozen=True, slots=True)
class _Time:
    """The moment of the check, and the zone of times without one."""

    now: datetime
    zone: ZoneInfo

    def has_passed(self, item: PendingItem) -> bool:
        """Return whether an appointment has begun; a day without a time counts until its end."""
        return item.starts_at is not None and item.starts_at.is_over(self.now, self.zone)


def diff(
    before: Snapshot | None, after: Snapshot, *, now: datetime, zone: ZoneInfo, vocabulary: str
) -> tuple[Change, ...]:
    """Return every change from `before` to `after`, both normalized, the most important first.

    If `before` is None, this is the baseline: one `case_added`, and one change for each open item except appointments
    that have taken place. `now` decides whether an appointment was still ahead; `zone` is that of times without one.
    """
    if before is None:
        return tuple(_baseline(after, _Time(now, zone)))
    before = in_same_terms(before, after)
    if replace(before, stage=after.stage) == after:
        return ()
    meaning = meaning_of(after.status_title, vocabulary=vocabulary)
    late = after.answered_sources - before.answered_sources
    changes = [
        *_item_changes(before, after, _Time(now, zone), late, meaning.cancels),
        *_status_changes(before, after, meaning),
        *_part_changes(before, after),
        *_notice_changes(before, after, late),
        *_history_changes(before, after, late),
        *_detail_changes(before, after),
    ]
    return tuple(changes) or tuple(_silent_update(before, after))


def _change(
    kind: ChangeKind,
    case: Snapshot,
    subject: str | None = None,
    *,
    old: Json = None,
    new: Json = None,
    words: Severity | None = None,
) -> Change:
    return Change(
        kind=kind,
        severity=severity_of(kind, case.stage, words),
        case_number=case.case_number,
        subject=subject,
        old=old,
        new=new,
    )


def _baseline(after: Snapshot, time: _Time) -> Iterator[Change]:
    new: Json = {"stage": after.stage.value, "status": after.status, "form": after.form}
    yield _change(ChangeKind.CASE_ADDED, after, new=new)
    for item in after.pending or ():
        if item.is_open and not time.has_passed(item):
            yield _change(_kind_when_added(item), after, item.key, new=item_json(item))


def _kind_when_added(item: PendingItem) -> ChangeKind:
    if item.kind is ItemKind.RFE:
        return ChangeKind.RFE_RECEIVED
    if item.kind is ItemKind.INTENT_TO_DENY:
        return ChangeKind.INTENT_TO_DENY_RECEIVED
    return ChangeKind.APPOINTMENT_SCHEDULED if item.kind.is_appointment else ChangeKind.ITEM_ADDED


def _item_changes(
    before: Snapshot, after: Snapshot, time: _Time, late: frozenset[str], cancels: frozenset[ItemKind]
) -> Iterator[Change]:
    """Yield the changes of items. Of what a source shows when it first answers, only what is ahead is news."""
    for key, old, new in _pairs(before.pending or (), after.pending or ()):
        if new is None:  # normalized snapshots keep every item
            continue
        if old is None:
            if new.is_open and not (new.sources <= late and time.has_passed(new)):
                yield _change(_kind_when_added(new), after, key, new=item_json(new))
            elif new.state is ItemState.ANSWERED and not new.sources <= late:
                yield _change(ChangeKind.ITEM_CLOSED, after, key, new=item_json(new))
        elif _comparable(old) != _comparable(new):
            kind = _kind_when_changed(old, new, is_ahead=not time.has_passed(old) or old.kind in cancels)
            yield _change(kind, after, key, old=item_json(old), new=item_json(new))


def _comparable(item: PendingItem) -> PendingItem:
    return replace(item, due_by_estimate=None, asked_on=None, portal_id=None, sources=frozenset())


def _kind_when_changed(old: PendingItem, new: PendingItem, *, is_ahead: bool) -> ChangeKind:
    if old.is_open and not new.is_open:
        is_called_off = old.kind.is_appointment and new.state is ItemState.CLOSED and is_ahead
        return ChangeKind.APPOINTMENT_CANCELLED if is_called_off else ChangeKind.ITEM_CLOSED
    if new.is_open and not old.is_open:
        return _kind_when_added(new)
    if new.kind is not old.kind and new.kind in {ItemKind.RFE, ItemKind.INTENT_TO_DENY}:
        return _kind_when_added(new)
    if new.kind.is_appointment and (old.starts_at, old.place) != (new.starts_at, new.place):
        return ChangeKind.APPOINTMENT_SCHEDULED if old.starts_at is None else ChangeKind.APPOINTMENT_CHANGED
    return ChangeKind.ITEM_CHANGED


def _status_changes(before: Snapshot, after: Snapshot, meaning: Meaning) -> Iterator[Change]:
    """Yield a stage change only if the status text changed too. A field without an earlier value is not a change.

    What a first status asks for is reported by its item. The vocabulary says how severe new words are; under the same
    title, a new description is not urgent, and a new date alone is routine.
    """
    if before.status is None:
        return
    old, new = _status_json(before), _status_json(after)
    text_changed = any(getattr(before, name) != getattr(after, name) for name in STATUS_TEXT_FIELDS)
    if text_changed and before.stage is not after.stage:
        yield _change(ChangeKind.STAGE_CHANGED, after, old=old, new=new, words=meaning.severity)
    elif _any_changed(before, after, STATUS_FIELDS):
        words = _severity_of_words(before, after, meaning)
        yield _change(ChangeKind.STATUS_CHANGED, after, old=old, new=new, words=words)


def _severity_of_words(before: Snapshot, after: Snapshot, meaning: Meaning) -> Severity:
    if before.status_title != after.status_title or meaning.severity is Severity.ROUTINE:
        return meaning.severity
    return Severity.ROUTINE if before.description == after.description else Severity.IMPORTANT


def _any_changed(before: Snapshot, after: Snapshot, names: Sequence[str]) -> bool:
    return any(getattr(before, name) not in {None, getattr(after, name)} for name in names)


def _part_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if before.parts is not None:
        for key, old, new in _pairs(before.parts, after.parts or ()):
            if old != new:
                yield _change(ChangeKind.PART_CHANGED, after, key, old=_part_json(old), new=_part_json(new))


def _notice_changes(before: Snapshot, after: Snapshot, late: frozenset[str]) -> Iterator[Change]:
    kinds = (ChangeKind.NOTICE_ADDED, ChangeKind.NOTICE_CHANGED, ChangeKind.NOTICE_REMOVED)
    if before.notices is not None:
        yield from _entry_changes(
            after, before.notices, _not_late(before.notices, after.notices, late), kinds, _notice_json
        )


def _history_changes(before: Snapshot, after: Snapshot, late: frozenset[str]) -> Iterator[Change]:
    kinds = (ChangeKind.HISTORY_ADDED, ChangeKind.HISTORY_CHANGED, ChangeKind.HISTORY_REMOVED)
    if before.history is not None:
        yield from _entry_changes(
            after, before.history, _not_late(before.history, after.history, late), kinds, _history_json
        )


def _not_late(before: Sequence[_Sourced], after: Sequence[_Sourced] | None, late: frozenset[str]) -> list[_Sourced]:
    """Return the entries without those that a source shows when it first answers: they are part of the baseline."""
    known = {entry.key for entry in before}
    return [entry for entry in after or () if entry.key in known or entry.source not in late]


def _entry_changes(
    case: Snapshot,
    before: Sequence[_Entry],
    after: Sequence[_Entry],
    kinds: tuple[ChangeKind, ChangeKind, ChangeKind],
    as_json: Callable[[_Entry], Json],
) -> Iterator[Change]:
    added, changed, removed = kinds
    for key, old, new in _pairs(before, after):
        if old == new:
            continue
        kind = added if old is None else removed if new is None else changed
        yield _change(
            kind,
            case,
            key,
            old=None if old is None else as_json(old),
            new=None if new is None else as_json(new),
        )


def _detail_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    for name in _DETAILS:
        old, new = getattr(before, name), getattr(after, name)
        if old is not None and old != new:
            yield _change(ChangeKind.DETAIL_CHANGED, after, name, old=str(old), new=None if new is None else str(new))


def _silent_update(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """Yield one change if the portal's timestamp of the case, or else that of its status, moved."""
    for name in ("updated_at", "status_updated_on"):
        old, new = getattr(before, name), getattr(after, name)
        if old is not None and old != new:
            yield _change(ChangeKind.SILENT_UPDATE, after, name, old=iso_text(old), new=iso_text(new))
            return


def _pairs(before: Sequence[_Entry], after: Sequence[_Entry]) -> Iterator[tuple[str, _Entry | None, _Entry | None]]:
    """Pair the entries of both sides by key, ordered by key: the order on a page is not a change."""
    left: Mapping[str, _Entry] = {entry.key: entry for entry in before}
    right: Mapping[str, _Entry] = {entry.key: entry for entry in after}
    for key in sorted(left.keys() | right.keys()):
        yield key, left.get(key), right.get(key)


# --- as JSON ------------------------------------------------------------------------------------------------------


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
        "state": item.state.value,
    }


def _status_json(case: Snapshot) -> Json:
    return {
        "stage": case.stage.value,
        "status": case.status,
        "description": case.description,
        "since": iso_text(case.status_since),
    }


def _notice_json(notice: Notice) -> Json:
    return {"key": notice.key, "title": notice.title, "dated": iso_text(notice.dated)}


def _history_json(entry: HistoryEntry) -> Json:
    return {"key": entry.key, "title": entry.title, "at": iso_text(entry.at), "code": entry.code, "hint": entry.hint}


def _part_json(part: Part | None) -> Json:
    return None if part is None else {"key": part.key, "title": part.title, "status": part.status}
