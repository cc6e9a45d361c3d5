"""Update of the ledger's items and notices from a fresh snapshot, within the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam

from watcher.model.appointment_time import with_known_zone
from watcher.model.case import ItemState, Notice, PendingItem, Snapshot
from watcher.store.database.engine import queries_on
from watcher.store.database.tables import ITEMS, NOTICES
from watcher.store.queries.cases import ITEMS_OF_CASE, NOTICES_OF_CASE
from watcher.store.queries.snapshot_json import decode_item, decode_notice, encode

# Statements are built once, here and in `recording`: building one with SQLAlchemy takes longer than running it.
_ID: BindParameter[int] = bindparam("id_")
_INSERT_ITEM, _UPDATE_ITEM = ITEMS.insert(), ITEMS.update().where(ITEMS.c.id == _ID)
_INSERT_NOTICE, _UPDATE_NOTICE = NOTICES.insert(), NOTICES.update().where(NOTICES.c.id == _ID)
_ENDED = {ItemState.ANSWERED, ItemState.CLOSED}
_NOT_DOWNLOADED: Mapping[str, Any] = {"saved_as": None, "sha256": None, "last_error": None, "attempts": 0}


def sync_items(connection: Connection, account: str, snapshot: Snapshot, now: datetime) -> None:
    """Add new items to the ledger, update known ones, and close those the portal no longer shows."""
    shown = {item.key: item for item in snapshot.pending or ()}
    rows = list(queries_on(connection)(ITEMS_OF_CASE, account=account, case_number=snapshot.case_number))
    for row in rows:
        item = shown.pop(row.key, None)
        values = _closed(row) if item is None else _updated(row, item, now)
        if values:
            connection.execute(_UPDATE_ITEM, {"id_": row.id, **values})
    for item in shown.values():
        if item.state is ItemState.CLOSED:
            continue  # over when it was first seen, such as an appointment that was scheduled and cancelled in between
        connection.execute(
            _INSERT_ITEM,
            {
                "account": account,
                "case_number": snapshot.case_number,
                "key": item.key,
                "document": encode(item),
                "state": item.state.value,
                "first_seen_at": now,
            },
        )


def _closed(row: Any) -> Mapping[str, Any]:
    return {} if row.state in _ENDED else {"state": ItemState.CLOSED.value}


def _updated(row: Any, item: PendingItem, now: datetime) -> Mapping[str, Any]:
    """Return the values that change in the ledger; none if the item is the same."""
    document = encode(item)
    if document == row.document and row.state != ItemState.CLOSED:
        return {}
    values = {"document": document, "state": _ledger_state(row, item).value}
    return values | {"date_changed_at": now} if _date_changed(row, item) else values


def _ledger_state(row: Any, item: PendingItem) -> ItemState:
    """Return the portal's state, or "done" if the user said so and the item is still open with the same dates."""
    if item.state is ItemState.OPEN and row.state == ItemState.DONE and not _date_changed(row, item):
        return ItemState.DONE
    return item.state


def _date_changed(row: Any, item: PendingItem) -> bool:
    before = decode_item(row.document)
    starts_at = with_known_zone(before.starts_at, item.starts_at)
    return (before.due_on, starts_at) != (item.due_on, item.starts_at)


def sync_notices(connection: Connection, account: str, snapshot: Snapshot, now: datetime) -> None:
    """Add new notices and update known ones; a notice stays when the portal removes it."""
    if not snapshot.notices:
        return
    rows = queries_on(connection)(NOTICES_OF_CASE, account=account, case_number=snapshot.case_number)
    known = {row.key: row for row in rows}
    for notice in snapshot.notices:
        row, document = known.get(notice.key), encode(notice)
        if row is None:
            values = {"account": account, "case_number": snapshot.case_number, "key": notice.key, "document": document}
            connection.execute(_INSERT_NOTICE, {**values, "first_seen_at": now, "attempts": 0})
        elif row.document != document:
            # Another letter under the same key is downloaded too. The earlier file stays on disk.
            reset = _NOT_DOWNLOADED if _is_another(decode_notice(row.document), notice) else {}
            connection.execute(_UPDATE_NOTICE, {"id_": row.id, "document": document, **reset})


def _is_another(before: Notice, after: Notice) -> bool:
    return (before.title, before.dated) != (after.title, after.dated)
