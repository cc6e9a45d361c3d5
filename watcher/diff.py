"""What moved between two snapshots of a case. Pure.

`settle` completes a fresh snapshot: what the portal did not say this time stays as it was, and a status that asks for
something becomes a pending item where the portal lists none. `diff` then compares two settled snapshots. For any two
snapshots of a portal `diff` is empty exactly when nothing moved there: neither another language of the same words, nor
data that was never known before, nor our own rules reading the same words as another stage is news.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from watcher.case import STATUS_ITEM, HistoryEntry, ItemKind, ItemState, Notice, Part, PendingItem, Snapshot
from watcher.change import Change, ChangeKind, Json, severity_of
from watcher.estimates import estimate_due
from watcher.stages import Meaning, meaning_of

_DETAILS = ("form", "title", "submitted_on", "office")
_STATUS_WORDS = ("status", "status_key", "description")
_STATUS_GROUP = (*_STATUS_WORDS, "status_since")


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_K = TypeVar("_K", bound=_Keyed)


def settle(before: Snapshot | None, after: Snapshot, *, vocabulary: str) -> Snapshot:
    """`after` with what it does not say taken from `before`, and with the items that its status asks for.

    `before` is a settled snapshot of the same case, or None on the first read.
    """
    if before is not None:
        after = _fill_gaps(before, after)
    after = replace(after, partial=frozenset())
    if after.pending is None or all(item.key.startswith(STATUS_ITEM) for item in after.pending):
        meaning = meaning_of(after.status_title, vocabulary=vocabulary)
        after = replace(after, pending=_status_items(before, after, meaning))
    return after


def diff(before: Snapshot | None, after: Snapshot, *, today: date, vocabulary: str) -> tuple[Change, ...]:
    """Every change from `before` to `after`, both settled; most telling first.

    `before` None is the baseline: one `case_added`, and one change for each item that is still to be dealt with.
    `today` decides whether an appointment that vanished was still ahead.
    """
    if before is None:
        return tuple(_baseline(after, today))
    before = _adopted(_in_the_words_of(after, before), after)
    if replace(before, stage=after.stage) == after:
        return ()
    meaning = meaning_of(after.status_title, vocabulary=vocabulary)
    changes = [
        *_item_changes(before, after, today, meaning),
        *_status_changes(before, after),
        *_part_changes(before, after),
        *_notice_changes(before, after),
        *_history_changes(before, after),
        *_detail_changes(before, after),
    ]
    return tuple(changes) or tuple(_silent_update(before, after))


# --- settling -----------------------------------------------------------------------------------------------------


def _fill_gaps(before: Snapshot, after: Snapshot) -> Snapshot:
    """What the portal left out this time stays as it was. The status, its text and its date stand or fall together."""
    kept = {
        field.name: getattr(before, field.name)
        for field in fields(Snapshot)
        if field.name not in _STATUS_GROUP and getattr(after, field.name) is None
    }
    if after.status is None:
        kept |= {name: getattr(before, name) for name in (*_STATUS_GROUP, "stage")}
    elif after.status_since is None and after.status_title == before.status_title:
        kept["status_since"] = before.status_since
    for name in after.partial:
        kept[name] = _with_the_unsaid(getattr(before, name), getattr(after, name))
    return replace(after, **kept) if kept else after


def _with_the_unsaid(before: tuple[Any, ...] | None, after: tuple[Any, ...] | None) -> tuple[Any, ...]:
    known = {entry.key: entry for entry in before or ()}
    entries = known | {entry.key: _beside(known.get(entry.key), entry) for entry in after or ()}
    return tuple(entries[key] for key in sorted(entries))


def _beside(old: Any, new: Any) -> Any:
    """An entry that only some of its sources gave: the others' silence neither reopens an item nor blurs it."""
    if not isinstance(old, PendingItem):
        return new
    if old.state is not ItemState.OPEN:
        return old
    return replace(new, kind=old.kind, due_by_estimate=old.due_by_estimate or new.due_by_estimate)


def _status_items(before: Snapshot | None, after: Snapshot, meaning: Meaning) -> tuple[PendingItem, ...]:
    earlier = {} if before is None else {item.key: item for item in before.pending or ()}
    items = {}
    for item in earlier.values():
        if item.state is ItemState.ANSWERED or item.kind in meaning.answers:
            items[item.key] = replace(item, state=ItemState.ANSWERED)
    if meaning.asks is not None:
        item = _asked_item(before, after, meaning.asks)
        items[item.key] = item
    return tuple(items[key] for key in sorted(items))


def _asked_item(before: Snapshot | None, after: Snapshot, kind: ItemKind) -> PendingItem:
    """The item that the status asks for.

    It is the one of the snapshot before unless both the text and its date moved: a portal that touches only its
    timestamp, or only rewords, has not asked twice.
    """
    key = f"{STATUS_ITEM}{kind}" + (f":{after.status_since}" if after.status_since else "")
    estimate = estimate_due(kind, form=after.form, asked_on=after.status_since, title=after.status_title)
    same = before is not None and (
        before.status_title == after.status_title
        and (before.description == after.description or before.status_since == after.status_since)
    )
    if same and before is not None:
        for item in before.pending or ():
            if item.kind is kind and item.key.startswith(STATUS_ITEM) and item.state is ItemState.OPEN:
                key = item.key
                estimate = item.due_by_estimate or estimate
    return PendingItem(key=key, kind=kind, title=after.status or "", due_by_estimate=estimate)


def _in_the_words_of(after: Snapshot, before: Snapshot) -> Snapshot:
    """`before` as it would have read in the language of `after`: words are taken over wherever the keys agree."""
    if before.language == after.language:
        return before
    same_status = before.status_title == after.status_title
    return replace(
        before,
        language=after.language,
        title=after.title if before.title is not None else None,
        office=after.office if before.office is not None else None,
        status=after.status if same_status else before.status,
        status_key=after.status_key if same_status else before.status_key,
        description=after.description if same_status else before.description,
        pending=_reworded(before.pending, after.pending, "title", "description", "place"),
        notices=_reworded(before.notices, after.notices, "title"),
        history=_reworded(before.history, after.history, "title", "hint"),
        parts=_reworded(before.parts, after.parts, "title"),
    )


def _adopted(before: Snapshot, after: Snapshot) -> Snapshot:
    """`before` with an item that a status made under the key of the one that the portal now lists for the same thing.

    The portal asked once; that it now also lists what it asked for is no second request.
    """
    known = {item.key for item in before.pending or ()}
    arrived = [item for item in after.pending or () if item.key not in known and not item.key.startswith(STATUS_ITEM)]
    listed = {item.kind: item.key for item in reversed(arrived)}
    still_there = {item.key for item in after.pending or ()}
    pending = tuple(
        replace(item, key=listed.pop(item.kind))
        if item.key.startswith(STATUS_ITEM) and item.key not in still_there and item.kind in listed
        else item
        for item in before.pending or ()
    )
    return before if before.pending is None else replace(before, pending=pending)


def _reworded(before: tuple[Any, ...] | None, after: tuple[Any, ...] | None, *names: str) -> tuple[Any, ...] | None:
    if before is None or after is None:
        return before
    now = {entry.key: entry for entry in after}
    return tuple(
        replace(entry, **{name: getattr(now[entry.key], name) for name in names}) if entry.key in now else entry
        for entry in before
    )


# --- comparing ----------------------------------------------------------------------------------------------------


def _change(
    kind: ChangeKind, case: Snapshot, subject: str | None = None, *, old: Json = None, new: Json = None
) -> Change:
    return Change(
        kind=kind,
        severity=severity_of(kind, case.stage),
        case_number=case.case_number,
        subject=subject,
        old=old,
        new=new,
    )


def _baseline(after: Snapshot, today: date) -> Iterator[Change]:
    told: Json = {"stage": after.stage.value, "status": after.status, "form": after.form}
    yield _change(ChangeKind.CASE_ADDED, after, new=told)
    for item in after.pending or ():
        if item.state is ItemState.OPEN and not _is_past(item, today):
            yield _change(_arrival_of(item), after, item.key, new=item_json(item))


def _is_past(item: PendingItem, today: date) -> bool:
    """Whether an appointment or due date is over. An item without a date is still to be dealt with."""
    moment = item.starts_at or item.due_on
    return moment is not None and _day(moment) < today


def _day(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _arrival_of(item: PendingItem) -> ChangeKind:
    if item.kind is ItemKind.RFE:
        return ChangeKind.RFE_RECEIVED
    if item.kind is ItemKind.INTENT_TO_DENY:
        return ChangeKind.INTENT_TO_DENY_RECEIVED
    return ChangeKind.APPOINTMENT_SCHEDULED if item.kind.is_appointment else ChangeKind.ITEM_ADDED


def _item_changes(before: Snapshot, after: Snapshot, today: date, meaning: Meaning) -> Iterator[Change]:
    if before.pending is None:
        return
    for key, old, new in _pairs(before.pending, after.pending or ()):
        if new is None and old is not None:
            kind = _departure_of(old, today, meaning)
            yield _change(kind, after, key, old=item_json(old))
        elif old is None and new is not None:
            kind = _arrival_of(new) if new.state is ItemState.OPEN else ChangeKind.ITEM_CLOSED
            yield _change(kind, after, key, new=item_json(new))
        elif old is not None and new is not None and replace(old, due_by_estimate=new.due_by_estimate) != new:
            yield _change(_movement_of(old, new), after, key, old=item_json(old), new=item_json(new))


def _departure_of(item: PendingItem, today: date, meaning: Meaning) -> ChangeKind:
    ahead = item.starts_at is not None and _day(item.starts_at) > today
    if item.kind.is_appointment and item.state is ItemState.OPEN and (ahead or item.kind in meaning.cancels):
        return ChangeKind.APPOINTMENT_CANCELLED
    return ChangeKind.ITEM_CLOSED


def _movement_of(old: PendingItem, new: PendingItem) -> ChangeKind:
    if new.state is not ItemState.OPEN and old.state is ItemState.OPEN:
        return ChangeKind.ITEM_CLOSED
    if new.state is ItemState.OPEN and old.state is not ItemState.OPEN:
        return _arrival_of(new)
    if new.kind is not old.kind and new.kind in {ItemKind.RFE, ItemKind.INTENT_TO_DENY}:
        return _arrival_of(new)
    if new.kind.is_appointment and (old.starts_at, old.place) != (new.starts_at, new.place):
        return ChangeKind.APPOINTMENT_SCHEDULED if old.starts_at is None else ChangeKind.APPOINTMENT_CHANGED
    return ChangeKind.ITEM_CHANGED


def _status_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """A stage moves only with its words; a status, text or date that was never given before is no new one.

    What a first status asks for is told all the same, by its item.
    """
    if before.status is None:
        return
    old, new = _status_json(before), _status_json(after)
    reworded = any(getattr(before, name) != getattr(after, name) for name in _STATUS_WORDS)
    if reworded and before.stage is not after.stage:
        yield _change(ChangeKind.STAGE_CHANGED, after, old=old, new=new)
    elif _moved(before, after, _STATUS_GROUP):
        yield _change(ChangeKind.STATUS_CHANGED, after, old=old, new=new)


def _moved(before: Snapshot, after: Snapshot, names: Sequence[str]) -> bool:
    return any(getattr(before, name) not in {None, getattr(after, name)} for name in names)


def _part_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if before.parts is not None:
        for key, old, new in _pairs(before.parts, after.parts or ()):
            if old != new:
                yield _change(ChangeKind.PART_CHANGED, after, key, old=_part_json(old), new=_part_json(new))


def _notice_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    kinds = (ChangeKind.NOTICE_ADDED, ChangeKind.NOTICE_CHANGED, ChangeKind.NOTICE_REMOVED)
    if before.notices is not None:
        yield from _entry_changes(after, before.notices, after.notices or (), kinds, _notice_json)


def _history_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    kinds = (ChangeKind.HISTORY_ADDED, ChangeKind.HISTORY_CHANGED, ChangeKind.HISTORY_REMOVED)
    if before.history is not None:
        yield from _entry_changes(after, before.history, after.history or (), kinds, _history_json)


def _entry_changes(
    case: Snapshot,
    before: Sequence[_K],
    after: Sequence[_K],
    kinds: tuple[ChangeKind, ChangeKind, ChangeKind],
    as_json: Callable[[_K], Json],
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
    old, new = before.updated_at, after.updated_at
    if old is not None and old != new:
        yield _change(ChangeKind.SILENT_UPDATE, after, "updated_at", old=old.isoformat(), new=_iso(new))


def _pairs(before: Sequence[_K], after: Sequence[_K]) -> Iterator[tuple[str, _K | None, _K | None]]:
    """Entries of both sides by key, in the order of the keys: order on a page is not news."""
    left: Mapping[str, _K] = {entry.key: entry for entry in before}
    right: Mapping[str, _K] = {entry.key: entry for entry in after}
    for key in sorted(left.keys() | right.keys()):
        yield key, left.get(key), right.get(key)


# --- as JSON ------------------------------------------------------------------------------------------------------


def item_json(item: PendingItem) -> dict[str, Json]:
    """A pending item as history and alerts carry it."""
    return {
        "key": item.key,
        "kind": item.kind.value,
        "title": item.title,
        "description": item.description,
        "due_on": _iso(item.due_on),
        "due_by_estimate": _iso(item.due_by_estimate),
        "starts_at": _iso(item.starts_at),
        "place": item.place,
        "state": item.state.value,
    }


def _status_json(case: Snapshot) -> Json:
    return {
        "stage": case.stage.value,
        "status": case.status,
        "description": case.description,
        "since": _iso(case.status_since),
    }


def _notice_json(notice: Notice) -> Json:
    return {"key": notice.key, "title": notice.title, "dated": _iso(notice.dated)}


def _history_json(entry: HistoryEntry) -> Json:
    return {"key": entry.key, "title": entry.title, "at": _iso(entry.at), "code": entry.code, "hint": entry.hint}


def _part_json(part: Part | None) -> Json:
    return None if part is None else {"key": part.key, "title": part.title, "status": part.status}


def _iso(moment: datetime | date | None) -> str | None:
    return None if moment is None else moment.isoformat()
