"""Make two snapshots of a case comparable. Pure.

A portal leaves out data in some answers, answers in several languages, and asks for something first in a status, later
in a list. `normalize` completes a fresh snapshot; `in_same_terms` translates the stored one to match it.
"""

from dataclasses import fields, replace
from typing import Any

from watcher.language.due_estimates import estimate_due
from watcher.language.status_meaning import Meaning, meaning_of
from watcher.model.case import STATUS_FIELDS, STATUS_ITEM_PREFIX, ItemKind, ItemState, PendingItem, Snapshot


def normalize(before: Snapshot | None, after: Snapshot, *, vocabulary: str) -> Snapshot:
    """Return `after` with missing data taken from `before`, and with the items that its status asks for.

    `before` is a normalized snapshot of the same case, or None on the first check.
    """
    if before is not None:
        after = _fill_gaps(before, after)
    after = replace(after, partial=frozenset())
    if after.pending is None or all(item.key.startswith(STATUS_ITEM_PREFIX) for item in after.pending):
        meaning = meaning_of(after.status_title, vocabulary=vocabulary)
        after = replace(after, pending=_status_items(before, after, meaning))
    return after


def in_same_terms(before: Snapshot, after: Snapshot) -> Snapshot:
    """Return `before` with the texts in the language of `after` and its items under the keys that `after` uses.

    Both are normalized snapshots of one case. Whatever still differs has changed at the portal.
    """
    return _with_listed_keys(_translated(before, after), after)


def _fill_gaps(before: Snapshot, after: Snapshot) -> Snapshot:
    """Take what the portal left out from `before`. Status, text, and date are taken together or not at all."""
    filled = {
        field.name: getattr(before, field.name)
        for field in fields(Snapshot)
        if field.name not in STATUS_FIELDS and getattr(after, field.name) is None
    }
    if after.status is None:
        filled |= {name: getattr(before, name) for name in (*STATUS_FIELDS, "stage")}
    elif after.status_since is None and after.status_title == before.status_title:
        filled["status_since"] = before.status_since
    for name in after.partial:
        filled[name] = _merged(getattr(before, name), getattr(after, name))
    return replace(after, **filled) if filled else after


def _merged(before: tuple[Any, ...] | None, after: tuple[Any, ...] | None) -> tuple[Any, ...]:
    known = {entry.key: entry for entry in before or ()}
    entries = known | {entry.key: _merged_entry(known.get(entry.key), entry) for entry in after or ()}
    return tuple(entries[key] for key in sorted(entries))


def _merged_entry(old: Any, new: Any) -> Any:
    """Merge an entry that only some of its sources returned: a missing source neither reopens an item nor blurs it."""
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
    """Return the item that the status asks for.

    It keeps the key of the earlier one unless both the text and the date changed: a portal that only updates its
    timestamp, or only rewords the text, has not asked again.
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


def _translated(before: Snapshot, after: Snapshot) -> Snapshot:
    """Return `before` with the texts of `after` wherever the keys agree, if the languages differ."""
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
        pending=_with_texts_of(before.pending, after.pending, "title", "description", "place"),
        notices=_with_texts_of(before.notices, after.notices, "title"),
        history=_with_texts_of(before.history, after.history, "title", "hint"),
        parts=_with_texts_of(before.parts, after.parts, "title"),
    )


def _with_listed_keys(before: Snapshot, after: Snapshot) -> Snapshot:
    """Give an item derived from a status the key under which the portal now lists the same request.

    The portal asked once; listing the request later is not a second one.
    """
    known = {item.key for item in before.pending or ()}
    added = [
        item for item in after.pending or () if item.key not in known and not item.key.startswith(STATUS_ITEM_PREFIX)
    ]
    listed = {item.kind: item.key for item in reversed(added)}
    current = {item.key for item in after.pending or ()}
    pending = tuple(
        replace(item, key=listed.pop(item.kind))
        if item.key.startswith(STATUS_ITEM_PREFIX) and item.key not in current and item.kind in listed
        else item
        for item in before.pending or ()
    )
    return before if before.pending is None else replace(before, pending=pending)


def _with_texts_of(
    before: tuple[Any, ...] | None, after: tuple[Any, ...] | None, *names: str
) -> tuple[Any, ...] | None:
    if before is None or after is None:
        return before
    current = {entry.key: entry for entry in after}
    return tuple(
        replace(entry, **{name: getattr(current[entry.key], name) for name in names}) if entry.key in current else entry
        for entry in before
    )
