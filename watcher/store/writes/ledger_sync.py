"""Update of the ledger's items and notices from fresh snapshots, within the caller's transaction."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, bindparam

from watcher.model.appointment_time import with_known_zone
from watcher.model.case import OWN_PREFIX, ItemState, Notice, PendingItem, Snapshot
from watcher.store.database.engine import execute_many, queries_on
from watcher.store.database.tables import ITEMS, NOTICES
from watcher.store.queries.cases import item_rows, notice_rows
from watcher.store.queries.snapshot_json import decode_item, decode_notice, encode

# Statements are built once, here and in `recording`: building one with SQLAlchemy takes longer than running it.
_ID: BindParameter[int] = bindparam("id_")
_INSERT_ITEM, _UPDATE_ITEM = ITEMS.insert(), ITEMS.update().where(ITEMS.c.id == _ID)
_INSERT_NOTICE, _UPDATE_NOTICE = NOTICES.insert(), NOTICES.update().where(NOTICES.c.id == _ID)
_REPLACE_NOTICE = _UPDATE_NOTICE.values(saved_as=None, sha256=None, last_error=None, attempts=0)
_ENDED = {ItemState.ANSWERED, ItemState.CLOSED}

_Values: TypeAlias = dict[str, Any]


def sync_ledger(connection: Connection, account: str, snapshots: Sequence[Snapshot], now: datetime) -> None:
    """Update items and notices of an account's cases from their snapshots, with one query and write for each table."""
    run = queries_on(connection)
    items = _by_case(item_rows(run, account, [snapshot.case_number for snapshot in snapshots]))
    with_notices = [snapshot for snapshot in snapshots if snapshot.notices]
    notices = _by_case(notice_rows(run, account, [snapshot.case_number for snapshot in with_notices]))
    _sync_items(connection, [(snapshot, items[snapshot.case_number]) for snapshot in snapshots], account, now)
    _sync_notices(connection, [(snapshot, notices[snapshot.case_number]) for snapshot in with_notices], account, now)


def _by_case(rows: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return rows by the number of their case and their key."""
    by_case: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        by_case[row.case_number][row.key] = row
    return by_case


_WithRows: TypeAlias = Iterable[tuple[Snapshot, dict[str, Any]]]


def _sync_items(connection: Connection, cases: _WithRows, account: str, now: datetime) -> None:
    """Add new items to the ledger, update known ones, and close those the portal no longer shows."""
    added: list[_Values] = []
    updated: list[_Values] = []
    for snapshot, rows in cases:
        shown = {item.key: item for item in snapshot.pending or ()}
        updated += _item_updates(rows, shown, now)
        case = {"account": account, "case_number": snapshot.case_number, "first_seen_at": now}
        added += [
            {**case, "key": key, "document": encode(item), "state": item.state.value}
            for key, item in shown.items()
            if key not in rows and item.state is not ItemState.CLOSED  # over when first seen: scheduled and cancelled
        ]
    execute_many(connection, _UPDATE_ITEM, updated)
    execute_many(connection, _INSERT_ITEM, added)


def _item_updates(rows: dict[str, Any], shown: dict[str, PendingItem], now: datetime) -> Iterator[_Values]:
    for key, row in rows.items():
        if key.startswith(OWN_PREFIX):
            continue
        values = _updated(row, shown[key], now) if key in shown else _closed(row)
        if values:
            kept = {"document": row.document, "date_changed_at": row.date_changed_at}
            yield {"id_": row.id, **kept, **values}


def _closed(row: Any) -> _Values:
    return {} if row.state in _ENDED else {"state": ItemState.CLOSED.value}


def _updated(row: Any, item: PendingItem, now: datetime) -> _Values:
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


def _sync_notices(connection: Connection, cases: _WithRows, account: str, now: datetime) -> None:
    """Add new notices and update known ones; a notice stays when the portal removes it.

    Another letter under the same key is downloaded too. The earlier file stays on disk.
    """
    added: list[_Values] = []
    updated: list[_Values] = []
    replaced: list[_Values] = []
    for snapshot, rows in cases:
        case = {"account": account, "case_number": snapshot.case_number, "first_seen_at": now, "attempts": 0}
        for notice in snapshot.notices or ():
            row, document = rows.get(notice.key), encode(notice)
            if row is None:
                added.append({**case, "key": notice.key, "document": document})
            elif row.document != document:
                is_another = _is_another(decode_notice(row.document), notice)
                (replaced if is_another else updated).append({"id_": row.id, "document": document})
    execute_many(connection, _UPDATE_NOTICE, updated)
    execute_many(connection, _REPLACE_NOTICE, replaced)
    execute_many(connection, _INSERT_NOTICE, added)


def _is_another(before: Notice, after: Notice) -> bool:
    return (before.title, before.dated) != (after.title, after.dated)
