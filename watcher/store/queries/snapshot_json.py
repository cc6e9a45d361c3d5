"""Snapshots as JSON in the database.

The JSON is canonical: equal snapshots give equal texts. A field that an older release did not store is taken, at every
level, from the snapshot that the stored one is compared with, so that a field added by an upgrade is not a change. The
same is true of the zone of an appointment. Texts are composed (NFC) on reading too, because older releases stored them
as they came.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import date
from hashlib import blake2b
from typing import Any, TypeVar

from watcher import __version__
from watcher.clock.timestamps import iso_text, parse_iso
from watcher.errors import StoreUnusable
from watcher.model.appointment_time import AppointmentTime, parse_appointment_time, with_known_zone
from watcher.model.case import HistoryEntry, ItemKind, ItemState, Notice, Part, PendingItem, Snapshot, Stage
from watcher.store.database.sqlite_errors import DAMAGED_ROW, DAMAGED_VALUE
from watcher.text.printable import composed

_T = TypeVar("_T")
_COLLECTIONS: dict[str, type] = {"parts": Part, "pending": PendingItem, "notices": Notice, "history": HistoryEntry}
_NAMES = {
    kind: tuple(field.name for field in fields(kind) if field.name != "silent")  # of one check, not of the case
    for kind in (Snapshot, *_COLLECTIONS.values())
}


class DamagedDocument(StoreUnusable, ValueError):
    """A stored document that is not what was written."""


def _date_of(text: str) -> date:
    return date.fromisoformat(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "stage": Stage,
    "kind": ItemKind,
    "state": ItemState,
    "status_since": _date_of,
    "status_updated_on": _date_of,
    "asked_on": _date_of,
    "sources": frozenset,
    "answered_sources": frozenset,
    "submitted_on": _date_of,
    "due_on": _date_of,
    "due_by_estimate": _date_of,
    "dated": _date_of,
    "updated_at": parse_iso,
    "starts_at": parse_appointment_time,
    "at": parse_iso,
}


def encode(value: Snapshot | PendingItem | Notice) -> str:
    """Return the canonical JSON of a snapshot, an item, or a notice, with collections ordered by key."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def digest(fresh: Snapshot) -> bytes:
    """Return the digest of a fresh snapshot. It includes the release, so that an upgrade compares every case again."""
    text = f"{__version__} {sorted(fresh.silent)} {encode(fresh)}"
    return blake2b(text.encode(), digest_size=16).digest()


def digest_of_answers(answers: Mapping[str, bytes], language: str) -> bytes:
    """Return the digest of the unparsed answers about a case. It includes the release and the language."""
    hashed = blake2b(f"{__version__} {language}".encode(), digest_size=16)
    for endpoint, body in sorted(answers.items()):
        hashed.update(f" {endpoint} {len(body)} ".encode())
        hashed.update(body)
    return hashed.digest()


def decode(text: str, *, fallback: Snapshot | None = None) -> Snapshot:
    """Return the snapshot that this or an older release encoded; `fallback` supplies the fields it did not store."""
    with _damage_reported():
        return _build(Snapshot, json.loads(composed(text)), fallback)


def decode_without_history(text: str) -> Snapshot:
    """Return the snapshot without the portal's history, which takes the most time and which few callers need."""
    with _damage_reported():
        document = json.loads(composed(text))
        document["history"] = None
        return _build(Snapshot, document, None)


def decode_item(text: str) -> PendingItem:
    """Return the pending item that `encode` wrote."""
    with _damage_reported():
        return _build(PendingItem, json.loads(composed(text)), None)


def decode_notice(text: str) -> Notice:
    """Return the notice that `encode` wrote."""
    with _damage_reported():
        return _build(Notice, json.loads(text), None)


@contextmanager
def _damage_reported() -> Iterator[None]:
    try:
        yield
    except DAMAGED_VALUE as error:
        raise DamagedDocument(DAMAGED_ROW) from error


def _plain(value: Any) -> Any:
    plain: dict[str, Any] = {}
    for name in _NAMES[type(value)]:
        content = getattr(value, name)
        if name in _COLLECTIONS and content is not None:
            content = [_plain(entry) for entry in sorted(content, key=lambda entry: entry.key)]
        elif isinstance(content, date):
            content = iso_text(content)
        elif isinstance(content, AppointmentTime):
            content = str(content)
        elif isinstance(content, frozenset):
            content = sorted(content)
        plain[name] = content
    return plain


_PLANS = {
    kind: tuple((name, _READERS.get(name), _COLLECTIONS.get(name)) for name in names) for kind, names in _NAMES.items()
}
"""How to build each field of each class, looked up once: `watcher status` builds tens of thousands of objects."""


def _build(kind: type[_T], document: Mapping[str, Any], fallback: _T | None) -> _T:
    values = {}
    for name, read, entry_kind in _PLANS[kind]:
        if name not in document:
            if fallback is not None:
                values[name] = getattr(fallback, name)
            continue
        content = document[name]
        if content is not None and entry_kind is not None:
            content = _build_all(entry_kind, content, getattr(fallback, name, None))
        elif content is not None and read is not None:
            content = read(content)
            if isinstance(fallback, PendingItem) and name == "starts_at":
                content = with_known_zone(content, fallback.starts_at)
        values[name] = content
    return kind(**values)


def _build_all(kind: type[_T], documents: list[Mapping[str, Any]], fallbacks: tuple[Any, ...] | None) -> tuple[_T, ...]:
    if not fallbacks:
        return tuple([_build(kind, document, None) for document in documents])
    by_key = {entry.key: entry for entry in fallbacks}
    return tuple(_build(kind, document, by_key.get(document["key"])) for document in documents)
