"""Make two snapshots of a case comparable. Pure.

A portal leaves out data in some answers, answers in several languages, and asks for something first in a status, later
in a list. `normalize` completes a fresh snapshot; `in_same_terms` translates the stored one to match it.
"""

from dataclasses import fields, replace
from typing import Any

from watcher.language.due_estimates import estimate_due
from watcher.language.status_meaning import Meaning, meaning_of, says_rescheduled
from watcher.language.uscis_wording import says_nothing_is_outstanding
from watcher.model.case import STATUS_FIELDS, STATUS_ITEM_PREFIX, STATUS_SOURCE, PendingItem, Snapshot
from watcher.reading.item_identity import StatusContext
from watcher.reading.item_states import StatusEffect, follow_items

_COLLECTIONS = ("parts", "notices", "history")


def normalize(before: Snapshot | None, after: Snapshot, *, vocabulary: str) -> Snapshot:
    """Return `after` with missing data taken from `before`, and with every item that was ever known, by its key.

    `before` is a normalized snapshot of the same case, or None on the first check. An item that the portal no longer
    shows stays, answered or closed, so that the same item is recognized when it appears again.
    """
    silent = after.silent | ({STATUS_SOURCE} if after.status is None else frozenset())
    fresh_items = None if after.pending is None else tuple(map(_with_source, after.pending))
    after = _with_status_day(before, after)
    if before is not None:
        after = _fill_gaps(before, after, silent)
    meaning = meaning_of(after.status_title, vocabulary=vocabulary)
    from_title = None if STATUS_SOURCE in silent else _item_of_title(after, meaning)
    known = tuple(map(_with_title_source, (before and before.pending) or ()))
    pending = None
    if fresh_items is not None or from_title is not None or (before is not None and before.pending is not None):
        pending = follow_items(
            known,
            (*(fresh_items or ()), *((from_title,) if from_title else ())),
            status_effect(before, after, meaning, vocabulary),
            silent if fresh_items is not None else None,
        )
    return replace(after, pending=pending, silent=frozenset(), answered_sources=_answered(before, after, fresh_items))


def in_same_terms(before: Snapshot, after: Snapshot) -> Snapshot:
    """Return `before` with the texts in the language of `after`.

    Both are normalized snapshots of one case. Whatever still differs has changed at the portal.
    """
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


def _with_status_day(before: Snapshot | None, after: Snapshot) -> Snapshot:
    """Return `after` with a day for a status that states none: the earlier one for the same title, else the update.

    An update alone, even with a reworded text, does not mean that the portal has asked again.
    """
    if after.status is None or after.status_since is not None:
        return after
    is_known = before is not None and before.status_title == after.status_title and before.status_since is not None
    return replace(after, status_since=before.status_since if before and is_known else after.status_updated_on)


def _fill_gaps(before: Snapshot, after: Snapshot, silent: frozenset[str]) -> Snapshot:
    """Take what the portal left out from `before`. Status, text, and date are taken together or not at all."""
    filled = {
        field.name: getattr(before, field.name)
        for field in fields(Snapshot)
        if field.name not in STATUS_FIELDS and getattr(after, field.name) is None
    }
    if after.status is None:
        filled |= {name: getattr(before, name) for name in (*STATUS_FIELDS, "stage")}
    for name in _COLLECTIONS:
        if getattr(after, name) is not None:
            filled[name] = _merged(getattr(before, name) or (), after, name, silent)
    return replace(after, **filled)


def _merged(before: tuple[Any, ...], after: Snapshot, name: str, silent: frozenset[str]) -> tuple[Any, ...]:
    """Add the entries whose source did not answer this time. Entries of older releases name no source."""
    if silent and after.answered_sources:
        silent |= {""}
    kept = {entry.key: entry for entry in before if name in silent or getattr(entry, "source", None) in silent}
    entries = kept | {entry.key: entry for entry in getattr(after, name)}
    return tuple(entries[key] for key in sorted(entries))


def _with_source(item: PendingItem) -> PendingItem:
    return item if item.sources else replace(item, sources=frozenset({"pending"}))


def _with_title_source(item: PendingItem) -> PendingItem:
    """Return an item of an older release with the source that its key tells. Of other items it is not known."""
    if item.sources or not item.key.startswith(STATUS_ITEM_PREFIX):
        return item
    return replace(item, sources=frozenset({STATUS_SOURCE}))


def _item_of_title(after: Snapshot, meaning: Meaning) -> PendingItem | None:
    """Return the item that the status asks for, if any."""
    kind = meaning.asks
    if kind is None:
        return None
    return PendingItem(
        key=f"{STATUS_ITEM_PREFIX}{kind}" + (f":{after.status_since}" if after.status_since else ""),
        kind=kind,
        title=after.status or "",
        due_by_estimate=estimate_due(kind, form=after.form, asked_on=after.status_since, title=after.status_title),
        asked_on=after.status_since,
        sources=frozenset({STATUS_SOURCE}),
    )


def status_effect(before: Snapshot | None, after: Snapshot, meaning: Meaning, vocabulary: str) -> StatusEffect:
    """Return what the status of `after` does to the items that `before` knows."""
    context = StatusContext(
        same_status=before is not None and _is_same_status(before, after),
        asked_before=None if before is None else meaning_of(before.status_title, vocabulary=vocabulary).asks,
        asks=meaning.asks,
        same_language=before is None or before.language == after.language,
        reschedules=says_rescheduled(after.status_title),
    )
    return StatusEffect(
        context=context,
        answers=meaning.answers,
        cancels=meaning.cancels,
        ends=after.stage.final,
        nothing_outstanding=vocabulary == "uscis" and says_nothing_is_outstanding(after.description or ""),
        since=after.status_since,
    )


def _is_same_status(before: Snapshot, after: Snapshot) -> bool:
    """Return whether the portal has not asked again: only a timestamp moved, or only the text was reworded."""
    return before.status_title == after.status_title and (
        before.description in {None, after.description} or before.status_since == after.status_since
    )


def _answered(before: Snapshot | None, after: Snapshot, items: tuple[PendingItem, ...] | None) -> frozenset[str]:
    """Return the sources that have ever answered. A collection that names no sources is one of its own."""
    collections = {name for name in _COLLECTIONS if getattr(after, name) is not None}
    answered = after.answered_sources | collections | ({"pending"} if items is not None else frozenset())
    answered -= after.silent
    return answered | (before.answered_sources if before is not None else frozenset())


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
