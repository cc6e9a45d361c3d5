"""Random snapshots, built from the fields of Snapshot, so that new fields are covered automatically."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from watcher.language.status_meaning import meaning_of
from watcher.model.appointment_time import Day, Moment, WallTime
from watcher.model.case import HistoryEntry, ItemKind, ItemState, Notice, Part, PendingItem, Snapshot

NUMBER = "IOE0000000001"
TITLES = (
    "Case Was Received",
    "Case Is Being Actively Reviewed By USCIS",
    "Request for Initial Evidence Was Sent",
    "Response To USCIS' Request For Evidence Was Received",
    "Interview Was Scheduled",
    "Biometrics Appointment Was Scheduled",
    "Case Was Approved",
    "Case Was Denied",
    "Something that no rule knows",
)
ENTRIES = (PendingItem, Notice, HistoryEntry, Part)

# A few of each, because only equality matters and drawing them must be fast.
days = st.sampled_from([date(2026, 3, 2) + timedelta(days=span) for span in (-400, -1, 0, 1, 30, 400)])
moments = st.sampled_from([datetime(2026, 3, 2, hour, 30, tzinfo=UTC) for hour in (0, 9, 23)])
wall_clocks = st.sampled_from([datetime(2026, 3, 2, hour, 30) for hour in (0, 9, 23)])  # noqa: DTZ001
texts = st.sampled_from(("one", "two", "trois ½", "четыре", "a <b>word</b>", "", " ", "\u2028", "null"))

_BY_TYPE: Mapping[Any, st.SearchStrategy[Any]] = {
    str: texts,
    date: days,
    datetime: moments | wall_clocks,
    Moment: moments.map(Moment),
    WallTime: wall_clocks.map(WallTime),
    Day: days.map(Day),
    ItemKind: st.sampled_from(ItemKind),
    ItemState: st.sampled_from((ItemState.OPEN, ItemState.ANSWERED)),
    type(None): st.none(),
    frozenset[str]: st.just(frozenset()),
}


def _members(hint: Any) -> tuple[Any, ...]:
    return (hint,) if hint in _BY_TYPE else get_args(hint)


@cache
def values(kind: Any, name: str) -> st.SearchStrategy[Any]:
    """Return every value that a field of `kind` may hold. A type not in `_BY_TYPE` is a KeyError."""
    hint = get_type_hints(kind)[name]
    return st.one_of([_BY_TYPE[member] for member in _members(hint)])


@cache
def entries(kind: Any, key: str) -> st.SearchStrategy[Any]:
    """Return an item, notice, history entry, or part with this key, as a portal returns it."""
    names = [field.name for field in fields(kind) if field.name not in {"key", "list_key"}]
    others = {name: values(kind, name) for name in names}
    return st.builds(kind, key=st.just(key), **others)


@cache
def collections(kind: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return up to four entries, ordered by key."""
    keys = st.sets(st.sampled_from(("a", "b", "c", "d")))
    return keys.flatmap(lambda some: st.tuples(*(entries(kind, key) for key in sorted(some))))


@cache
def kind_of_entries(name: str) -> Any:
    """Return the type of the entries in a field of Snapshot, or None for a plain field."""
    return next((kind for kind in ENTRIES if f"[watcher.model.case.{kind.__name__}," in str(_hint(name))), None)


def _hint(name: str) -> Any:
    return get_type_hints(Snapshot)[name]


PLAIN = tuple(
    field.name
    for field in fields(Snapshot)
    if field.name not in {"case_number", "language", "stage", "silent", "answered_sources"}
    and kind_of_entries(field.name) is None
)
COLLECTIONS = tuple(field.name for field in fields(Snapshot) if kind_of_entries(field.name) is not None)


@cache
def present_values(name: str) -> st.SearchStrategy[Any]:
    """Return every value that a portal may give for a field of a snapshot."""
    if name in {"status", "status_key"}:
        return st.sampled_from(TITLES)
    kind = kind_of_entries(name)
    if kind is not None:
        return collections(kind)
    hint = _hint(name)
    return st.one_of([_BY_TYPE[member] for member in _members(hint) if member is not type(None)])


@cache
def optional_values(name: str) -> st.SearchStrategy[Any]:
    """Return the same values and None for a missing one. The English title is in `status` itself."""
    return st.none() if name == "status_key" else st.none() | present_values(name)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Return any snapshot. The stage follows from the status, as in every portal."""
    values_by_name = {name: draw(optional_values(name)) for name in (*PLAIN, *COLLECTIONS)}
    return Snapshot(case_number=NUMBER, stage=meaning_of(values_by_name["status"] or "").stage, **values_by_name)


@st.composite
def full_snapshots(draw: st.DrawFn) -> Snapshot:
    """Return a snapshot with every field set and one entry in every collection."""
    values_by_name = {name: draw(present_values(name)) for name in PLAIN}
    values_by_name |= {name: (draw(entries(kind_of_entries(name) or Part, "a")),) for name in COLLECTIONS}
    values_by_name["status_key"] = values_by_name["status"]
    return Snapshot(case_number=NUMBER, stage=meaning_of(values_by_name["status"]).stage, **values_by_name)
