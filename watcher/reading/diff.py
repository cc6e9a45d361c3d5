"""List the changes between two normalized snapshots of a case (`watcher.reading.normalize`). Pure.

The list is empty exactly if nothing changed at the portal. These are not changes: the same text in another language, a
field that the stored snapshot never had, and the same text that our own rules now map to another stage.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from watcher.clock.timestamps import iso_text
from watcher.language.due_estimates import runs_until
from watcher.language.status_meaning import Meaning, meaning_of
from watcher.model.case import (
    STATUS_FIELDS,
    STATUS_TEXT_FIELDS,
    HistoryEntry,
    ItemKind,
    ItemState,
    Notice,
    PendingItem,
    Snapshot,
)
from watcher.model.change import Change, ChangeKind, CloseReason, Json, Severity, severity_of
from watcher.reading.change_json import closed_json, history_json, item_json, notice_json, part_json, status_json
from watcher.reading.item_identity import is_bare_count
from watcher.reading.item_states import StatusEffect
from watcher.reading.normalize import in_same_terms, status_effect

_DETAILS = ("form", "title", "submitted_on", "office")
_NOT_COMPARED = {"due_by_estimate", "asked_on", "portal_id", "list_key", "sources"}
_COMPARED = attrgetter(*(field.name for field in fields(PendingItem) if field.name not in _NOT_COMPARED))


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

    def is_ahead(self, item: PendingItem) -> bool:
        """Return whether the time of an appointment is known and has not come yet."""
        return item.starts_at is not None and not self.has_passed(item)

    def has_passed(self, item: PendingItem) -> bool:
        """Return whether an appointment has begun; a day without a time counts until its end."""
        return item.starts_at is not None and item.starts_at.is_over(self.now, self.zone)

    def is_overdue(self, item: PendingItem) -> bool:
        """Return whether the last day for the answer is over."""
        due = item.due_on or (item.due_by_estimate and runs_until(item.kind, item.due_by_estimate))
        return due is not None and due < self.now.astimezone(self.zone).date()


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
    effect = status_effect(before, after, meaning, vocabulary)
    late = after.answered_sources - before.answered_sources
    changes = [
        *_item_changes(before, after, _Time(now, zone), late, effect),
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
    yield _change(
        ChangeKind.CASE_ADDED, after, new={"stage": after.stage.value, "status": after.status, "form": after.form}
    )
    for item in after.pending or ():
        if item.is_open and not time.has_passed(item):
            yield _added(item, after, time)


def _added(item: PendingItem, case: Snapshot, time: _Time) -> Change:
    """Return the change for an open item that is new; it says so if the answer is already overdue."""
    overdue: dict[str, Json] = {"is_overdue": True} if time.is_overdue(item) else {}
    return _change(_kind_when_added(item), case, item.key, new=_shown(item, time) | overdue)


def _shown(item: PendingItem, time: _Time) -> dict[str, Json]:
    """Return an item as it is announced; it says so if the appointment has passed."""
    passed: dict[str, Json] = {"has_passed": True} if item.kind.is_appointment and time.has_passed(item) else {}
    return item_json(item) | passed


def _kind_when_added(item: PendingItem) -> ChangeKind:
    if item.kind is ItemKind.RFE:
        return ChangeKind.RFE_RECEIVED
    if item.kind is ItemKind.INTENT_TO_DENY:
        return ChangeKind.INTENT_TO_DENY_RECEIVED
    return ChangeKind.APPOINTMENT_SCHEDULED if item.kind.is_appointment else ChangeKind.ITEM_ADDED


def _item_changes(
    before: Snapshot, after: Snapshot, time: _Time, late: frozenset[str], effect: StatusEffect
) -> Iterator[Change]:
    """Yield the changes of items. Of what a source shows when it first answers, only what is ahead is news."""
    for key, old, new in _pairs(before.pending or (), after.pending or ()):
        if new is None:  # normalized snapshots keep every item
            continue
        if old is None:
            if new.is_open and not (new.sources <= late and time.has_passed(new)):
                yield _added(new, after, time)
            elif new.state is ItemState.ANSWERED and not new.sources <= late:
                yield _change(ChangeKind.ITEM_CLOSED, after, key, new=closed_json(new, CloseReason.ANSWERED))
        elif not _is_same(old, new) and not _is_over_in_late_words(old, new, late):
            is_moved = _is_moved(old, after, effect)
            kind = _kind_when_changed(old, new, is_called_off=not is_moved and _is_called_off(old, time, effect))
            reason = CloseReason.REPLACED if is_moved else _close_reason(old, new, time, effect)
            shown = closed_json(new, reason) if kind is ChangeKind.ITEM_CLOSED else _shown(new, time)
            yield _change(kind, after, key, old=item_json(old), new=shown)


def _close_reason(old: PendingItem, new: PendingItem, time: _Time, effect: StatusEffect) -> CloseReason:
    """Return why an item that was open is not: what the status says, or else that the portal no longer lists it."""
    if new.state is ItemState.ANSWERED:
        return CloseReason.ANSWERED
    if effect.newly_ended_state(old) is not None:
        return CloseReason.CASE_ENDED if effect.ends else CloseReason.NOTHING_OUTSTANDING
    if old.kind in effect.cancels and not effect.context.same_status:
        return CloseReason.CANCELLED
    return CloseReason.TIME_PASSED if time.has_passed(old) else CloseReason.UNLISTED


def _is_called_off(old: PendingItem, time: _Time, effect: StatusEffect) -> bool:
    """Return whether an appointment that is over was called off. Of one without a date, only a title says so."""
    return old.kind.is_appointment and (time.is_ahead(old) or old.kind in effect.cancels)


def _is_moved(old: PendingItem, after: Snapshot, effect: StatusEffect) -> bool:
    """Return whether the title says that an appointment was moved, and the new one is known."""
    others = [item for item in after.pending or () if item.is_open and item.kind is old.kind]
    return effect.context.replaces(old) and any(item.key != old.key for item in others)


def _is_over_in_late_words(old: PendingItem, new: PendingItem, late: frozenset[str]) -> bool:
    """Return whether an item that was over is only described otherwise by a source that answers for the first time."""
    return not old.is_open and not new.is_open and bool(new.sources & late)


def _is_same(old: PendingItem, new: PendingItem) -> bool:
    """Return whether nothing changed. Another source calls the same item by another title, which is no change."""
    if old.sources and old.sources != new.sources and not is_bare_count(old):
        new = replace(new, title=old.title, description=old.description)
    return _COMPARED(old) == _COMPARED(new)


def _kind_when_changed(old: PendingItem, new: PendingItem, *, is_called_off: bool) -> ChangeKind:
    if old.is_open and not new.is_open:
        is_closed = new.state is ItemState.CLOSED
        return ChangeKind.APPOINTMENT_CANCELLED if is_closed and is_called_off else ChangeKind.ITEM_CLOSED
    if new.is_open and not old.is_open:
        return _kind_when_added(new)
    if _kind_when_added(new) is not _kind_when_added(old):
        return _kind_when_added(new)
    if new.kind.is_appointment and (old.starts_at, old.place) != (new.starts_at, new.place):
        return ChangeKind.APPOINTMENT_SCHEDULED if old.starts_at is None else ChangeKind.APPOINTMENT_CHANGED
    return ChangeKind.ITEM_CHANGED


def _status_changes(before: Snapshot, after: Snapshot, meaning: Meaning) -> Iterator[Change]:
    """Yield a stage change only if the status text changed too. A field without an earlier value is not a change.

    What a first status asks for is reported by its item; one that ends the case badly is reported itself. The
    vocabulary says how severe new words are; under the same title, a new description or date is not urgent.
    """
    if before.status is None and not _ends_badly(before, after):
        return
    old, new = status_json(before), status_json(after)
    text_changed = any(getattr(before, name) != getattr(after, name) for name in STATUS_TEXT_FIELDS)
    if text_changed and before.stage is not after.stage:
        yield _change(ChangeKind.STAGE_CHANGED, after, old=old, new=new, words=meaning.severity)
    elif any(getattr(before, name) not in {None, getattr(after, name)} for name in STATUS_FIELDS):
        is_same = before.status_title == after.status_title and meaning.severity is Severity.URGENT
        words = Severity.IMPORTANT if is_same else meaning.severity
        yield _change(ChangeKind.STATUS_CHANGED, after, old=old, new=new, words=words)


def _ends_badly(before: Snapshot, after: Snapshot) -> bool:
    return before.stage is not after.stage and severity_of(ChangeKind.STAGE_CHANGED, after.stage) is Severity.URGENT


def _part_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if before.parts is not None:
        for key, old, new in _pairs(before.parts, after.parts or ()):
            if old != new:
                yield _change(ChangeKind.PART_CHANGED, after, key, old=part_json(old), new=part_json(new))


def _notice_changes(before: Snapshot, after: Snapshot, late: frozenset[str]) -> Iterator[Change]:
    kinds = (ChangeKind.NOTICE_ADDED, ChangeKind.NOTICE_CHANGED, ChangeKind.NOTICE_REMOVED)
    if before.notices is not None:
        yield from _entry_changes(
            after, before.notices, _not_late(before.notices, after.notices, late), kinds, notice_json
        )


def _history_changes(before: Snapshot, after: Snapshot, late: frozenset[str]) -> Iterator[Change]:
    kinds = (ChangeKind.HISTORY_ADDED, ChangeKind.HISTORY_CHANGED, ChangeKind.HISTORY_REMOVED)
    if before.history is not None:
        yield from _entry_changes(
            after, before.history, _not_late(before.history, after.history, late), kinds, history_json
        )


def _not_late(before: Sequence[_Sourced], after: Sequence[_Sourced] | None, late: frozenset[str]) -> list[_Sourced]:
    """Return the entries without those that a source shows when it first answers: they are part of the baseline.

    Entries of older releases name no source; beside them, no source is late.
    """
    if any(not entry.source for entry in before):
        return list(after or ())
    known = {entry.key for entry in before}
    return [entry for entry in after or () if entry.key in known or entry.source not in late]


def _entry_changes(
    case: Snapshot,
    before: Sequence[_Sourced],
    after: Sequence[_Sourced],
    kinds: tuple[ChangeKind, ChangeKind, ChangeKind],
    as_json: Callable[[_Sourced], Json],
) -> Iterator[Change]:
    added, changed, removed = kinds
    for key, old, new in _pairs(before, after):
        if old is not None and new is not None and (old == new or replace(old, source=new.source) == new):
            continue
        kind = added if old is None else removed if new is None else changed
        values = [None if entry is None else as_json(entry) for entry in (old, new)]
        yield _change(kind, case, key, old=values[0], new=values[1])


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
