"""What a good read found, so that a selector which finds nothing any more is noticed. Pure.

A page can be redone without `expect` noticing: the title, say, moves into another element, and every case would
quietly lose it. So the fields that were found are remembered for each case, and a field that the last good read
found, and that no case has now, is a page that the recipe no longer fits.

Not every field that goes is a sign of that. What belongs to a status (its description, its date, the time of the last
update) may go with it, so it counts only in cases whose status is the same as before. Pending items and notices come
and go by nature and never count; for them there is `expect` within [[case.pending]]. A history only grows, so it
counts like a field. `sometimes` in [case.fields] names fields that a portal shows only at times.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from watcher.model.case import Snapshot
from watcher.recipe.model import CASE_FIELDS, STATUS_FIELDS, Recipe, comparable_text

HISTORY: Final = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFields:
    """What was found of one case. `status` tells one status from another, and is not the status itself."""

    status: str
    fields: frozenset[str]


def found_in(snapshots: Iterable[Snapshot]) -> dict[str, FoundFields]:
    """What one read found, by case number."""
    return {
        snapshot.case_number: FoundFields(status=_mark(snapshot.status or ""), fields=frozenset(_fields(snapshot)))
        for snapshot in snapshots
    }


def lost_selectors(
    recipe: Recipe, before: Mapping[str, FoundFields], now: Mapping[str, FoundFields]
) -> tuple[str, ...]:
    """The selectors, with their keys, that found something in the read before and find nothing in any case now."""
    both = [(before[number], now[number]) for number in before.keys() & now.keys()]
    seen = frozenset().union(*(found.fields for found in now.values()))
    named = [*recipe.case.fields, *([HISTORY] if recipe.case.history else [])]
    missed = [
        name
        for name in named
        if name not in seen and name not in recipe.case.sometimes and any(_lost(name, *pair) for pair in both)
    ]
    return tuple(_selector(recipe, name) for name in missed)


def _lost(name: str, before: FoundFields, now: FoundFields) -> bool:
    return name in before.fields and (name not in STATUS_FIELDS or before.status == now.status)


def _selector(recipe: Recipe, name: str) -> str:
    if name == HISTORY:
        return " and ".join(f"{one.key_path}.each {one.each.text!r}" for one in recipe.case.history)
    return f"case.fields.{name} {recipe.case.fields[name].text!r}"


def _fields(snapshot: Snapshot) -> list[str]:
    found = [name for name in (*CASE_FIELDS, *STATUS_FIELDS) if getattr(snapshot, name) is not None]
    return [*found, HISTORY] if snapshot.history else found


def _mark(status: str) -> str:
    return hashlib.sha256(comparable_text(status).encode()).hexdigest()[:16]
