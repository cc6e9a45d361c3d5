"""Brings two snapshots of a case to where they can be compared. Pure.

A portal does not say everything each time, says it in more than one language, and asks for something now in its status,
now in a list. `settle` completes what came of a read; `restated` puts what was known before into the same terms.
"""

from dataclasses import fields, replace
from typing import Any

from watcher.language.due_estimates import estimate_due
from watcher.language.status_meaning import Meaning, meaning_of
from watcher.model.case import STATUS_FIELDS, STATUS_ITEM_PREFIX, ItemKind, ItemState, PendingItem, Snapshot


def normalize(before: Snapshot | None, after: Snapshot, *, vocabulary: str) -> Snapshot:
    """`after` with what it does not say taken from `before`, and with the items that its status asks for.

    `before` is a settled snapshot of the same case, or None on the first read.
    """
    if before is not None:
        after = _fill_gaps(before, after)
    after = replace(after, partial=frozenset())
    if after.pending is None or all(item.key.startswith(STATUS_ITEM_PREFIX) for item in after.pending):
        meaning = meaning_of(after.status_title, vocabulary=vocabulary)
        after = replace(after, pending=_status_items(before, after, meaning))
    return after


def in_same_terms(before: Snapshot, after: Snapshot) -> Snapshot:
    """`before` as it would have been said in the language of `after`, and under the keys that `after` gives its items.

    Both are settled snapshots of one case; what still differs has moved at the portal.
    """
    return _adopted(_in_the_words_of(after, before), after)


def _fill_gaps(before: Snapshot, after: Snapshot) -> Snapshot:
    """What the portal left out this time stays as it was. The status, its text and its date stand or fall together."""
    kept = {
        field.name: getattr(before, field.name)
        for field in fields(Snapshot)
        if field.name not in STATUS_FIELDS and getattr(after, field.name) is None
    }
    if after.status is None:
        kept |= {name: getattr(before, name) for name in (*STATUS_FIELDS, "stage")}
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
    key = f"{STATUS_ITEM_PREFIX}{kind}" + (f":{after.status_since}" if after.status_since else "")
    estimate = estimate_due(kind, form=after.form, asked_on=after.status_since, title=after.status_title)
    same = before is not None and (
        before.status_title == after.status_title
        and (before.description == after.description or before.status_since == after.status_since)
    )
    if same and before is not None:
        for item in before.pending or ():
            if item.kind is kind and item.key.startswith(STATUS_ITEM_PREFIX) and item.state is ItemState.OPEN:
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
    arrived = [
        item for item in after.pending or () if item.key not in known and not item.key.startswith(STATUS_ITEM_PREFIX)
    ]
    listed = {item.kind: item.key for item in reversed(arrived)}
    still_there = {item.key for item in after.pending or ()}
    pending = tuple(
        replace(item, key=listed.pop(item.kind))
        if item.key.startswith(STATUS_ITEM_PREFIX) and item.key not in still_there and item.kind in listed
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
