"""The fields that the last successful check found, to notice a selector that finds nothing anymore. Pure.

A redesigned page can still contain what `expect` requires: if, for example, the title moves into another element, every
case would lose its title without an error. So the fields that were found are saved for each case. A field that the
last successful check found and that no case has now means that the recipe no longer fits the page.

Some fields may disappear without that. Those that belong to a status (description, date, time of the last update) may
disappear with it, so they count only in cases with the same status as before. Pending items and notices come and go
and never count; for them there is `expect` in [[case.pending]]. A history only grows, so it counts like a field.
`sometimes` in [case.fields] names fields that a portal does not always show.
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
    """The fields that were found for one case. `status` is a digest of the status."""

    status: str
    fields: frozenset[str]


def found_in(snapshots: Iterable[Snapshot]) -> dict[str, FoundFields]:
    """Return the fields that one check found, by case number."""
    return {
        snapshot.case_number: FoundFields(status=_digest(snapshot.status or ""), fields=frozenset(_fields(snapshot)))
        for snapshot in snapshots
    }


def lost_selectors(
    recipe: Recipe, before: Mapping[str, FoundFields], now: Mapping[str, FoundFields]
) -> tuple[str, ...]:
    """Return the selectors, with their keys, that found something in the last check and find nothing now."""
    pairs = [(before[number], now[number]) for number in before.keys() & now.keys()]
    present = frozenset().union(*(case.fields for case in now.values()))
    required = [*recipe.case.all_fields, *([HISTORY] if recipe.case.history else [])]
    lost = [
        name
        for name in required
        if name not in present and name not in recipe.case.sometimes and any(_is_lost(name, *pair) for pair in pairs)
    ]
    return tuple(_selector(recipe, name) for name in lost)


def had_another_status(before: FoundFields | None, status: str) -> bool:
    """Return whether the last successful check found a status, and another one than this."""
    return before is not None and before.status != _digest(status)


def _is_lost(name: str, before: FoundFields, now: FoundFields) -> bool:
    return name in before.fields and (name not in STATUS_FIELDS or before.status == now.status)


def _selector(recipe: Recipe, name: str) -> str:
    if name == HISTORY:
        return ", ".join(f"{part.key_path}.each {part.each.text!r}" for part in recipe.case.history)
    key_path, selector = recipe.case.all_fields[name]
    return f"{key_path} {selector.text!r}"


def _fields(snapshot: Snapshot) -> list[str]:
    names = [name for name in (*CASE_FIELDS, *STATUS_FIELDS) if getattr(snapshot, name) is not None]
    return [*names, HISTORY] if snapshot.history else names


def _digest(status: str) -> str:
    return hashlib.sha256(comparable_text(status).encode()).hexdigest()[:16]
