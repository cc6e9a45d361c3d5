"""A snapshot as the JSON text that the database keeps, and back.

The text is canonical: equal snapshots give equal texts, so that an unchanged case is told by comparing two strings.
Reading an old text, a field that did not exist when it was written is taken from the snapshot it is compared with, at
every level: what yesterday's program did not look at is not news today.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from hashlib import blake2b
from typing import Any, TypeVar

from watcher import __version__
from watcher.clock.timestamps import iso_text, parse_iso
from watcher.model.case import HistoryEntry, ItemKind, ItemState, Notice, Part, PendingItem, Snapshot, Stage

_T = TypeVar("_T")
_COLLECTIONS: dict[str, type] = {"parts": Part, "pending": PendingItem, "notices": Notice, "history": HistoryEntry}
_NAMES = {
    kind: tuple(field.name for field in fields(kind) if field.name != "partial")  # a settled snapshot is whole
    for kind in (Snapshot, *_COLLECTIONS.values())
}


def _date_of(text: str) -> date:
    return date.fromisoformat(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "stage": Stage,
    "kind": ItemKind,
    "state": ItemState,
    "status_since": _date_of,
    "submitted_on": _date_of,
    "due_on": _date_of,
    "due_by_estimate": _date_of,
    "dated": _date_of,
    "updated_at": parse_iso,
    "starts_at": parse_iso,
    "at": parse_iso,
}


def encode(value: Snapshot | PendingItem | Notice) -> str:
    """The canonical text of a snapshot, an item or a notice; collections ordered by key."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def digest(fresh: Snapshot) -> bytes:
    """Tells two fresh snapshots apart; of this release, so that a newer one looks at every case anew."""
    whole = f"{__version__} {sorted(fresh.partial)} {encode(fresh)}"
    return blake2b(whole.encode(), digest_size=16).digest()


def digest_of_answers(answers: Mapping[str, bytes], language: str) -> bytes:
    """Tells the answers about a case apart, before anything is read from them; of this release and language."""
    told = blake2b(f"{__version__} {language}".encode(), digest_size=16)
    for endpoint, body in sorted(answers.items()):
        told.update(f" {endpoint} {len(body)} ".encode())
        told.update(body)
    return told.digest()


def decode(text: str, *, fallback: Snapshot | None = None) -> Snapshot:
    """The snapshot of a text that `encode` wrote, now or in an older release; `beside` fills what it did not know."""
    return _build(Snapshot, json.loads(text), fallback)


def decode_without_history(text: str) -> Snapshot:
    """The same without the portal's own history: how a case stands does not depend on it, and it is most of a text."""
    told = json.loads(text)
    told["history"] = None
    return _build(Snapshot, told, None)


def decode_item(text: str) -> PendingItem:
    """The pending item of a text that `encode` wrote."""
    return _build(PendingItem, json.loads(text), None)


def decode_notice(text: str) -> Notice:
    """The notice of a text that `encode` wrote."""
    return _build(Notice, json.loads(text), None)


def _plain(value: Any) -> Any:
    plain: dict[str, Any] = {}
    for name in _NAMES[type(value)]:
        content = getattr(value, name)
        if name in _COLLECTIONS and content is not None:
            content = [_plain(entry) for entry in sorted(content, key=lambda entry: entry.key)]
        elif isinstance(content, date):
            content = iso_text(content)
        plain[name] = content
    return plain


_PLANS = {
    kind: tuple((name, _READERS.get(name), _COLLECTIONS.get(name)) for name in names) for kind, names in _NAMES.items()
}
"""How each field of each noun is built, looked up once: status builds tens of thousands of them."""


def _build(kind: type[_T], told: Mapping[str, Any], beside: _T | None) -> _T:
    values = {}
    for name, read, entry_kind in _PLANS[kind]:
        if name not in told:
            if beside is not None:
                values[name] = getattr(beside, name)
            continue
        content = told[name]
        if content is not None and entry_kind is not None:
            content = _build_all(entry_kind, content, getattr(beside, name, None))
        elif content is not None and read is not None:
            content = read(content)
        values[name] = content
    return kind(**values)


def _build_all(kind: type[_T], told: list[Mapping[str, Any]], beside: tuple[Any, ...] | None) -> tuple[_T, ...]:
    if not beside:
        return tuple([_build(kind, entry, None) for entry in told])
    others = {entry.key: entry for entry in beside}
    return tuple(_build(kind, entry, others.get(entry["key"])) for entry in told)
