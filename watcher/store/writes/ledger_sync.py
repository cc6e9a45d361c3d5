"""The ledger and the notices follow the snapshot: what it shows is entered, what it shows moved is brought up to date.

Within a transaction that the caller holds.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam

from watcher.model.case import STATUS_ITEM_PREFIX, ItemState, Notice, PendingItem, Snapshot
from watcher.store.database.tables import ITEMS, NOTICES
from watcher.store.queries.snapshot_json import decode_item, decode_notice, encode

# Statements are made once, here and in `recording`: SQLAlchemy takes longer to put one together than SQLite to run it.
_ACCOUNT: BindParameter[str] = bindparam("account_")
_NUMBER: BindParameter[str] = bindparam("case_number_")
_ID: BindParameter[int] = bindparam("id_")
_ITEMS_OF_CASE = ITEMS.select().where(ITEMS.c.account == _ACCOUNT, ITEMS.c.case_number == _NUMBER)
_ENTER_ITEM, _UPDATE_ITEM = ITEMS.insert(), ITEMS.update().where(ITEMS.c.id == _ID)
_NOTICES_OF_CASE = NOTICES.select().where(NOTICES.c.account == _ACCOUNT, NOTICES.c.case_number == _NUMBER)
_ENTER_NOTICE, _UPDATE_NOTICE = NOTICES.insert(), NOTICES.update().where(NOTICES.c.id == _ID)
_ENDED = {ItemState.ANSWERED, ItemState.CLOSED}


def follow_items(connection: Connection, account: str, snapshot: Snapshot, now: datetime) -> None:
    """New items are entered in the ledger, known ones brought up to date, vanished ones closed."""
    case = {"account_": account, "case_number_": snapshot.case_number}
    shown = {item.key: item for item in snapshot.pending or ()}
    for row in connection.execute(_ITEMS_OF_CASE, case).all():
        item = shown.pop(row.key, None) or _listed_now(row, shown)
        entry = _closed(row) if item is None else _as_shown(row, item, now)
        if entry:
            connection.execute(_UPDATE_ITEM, {"id_": row.id, **entry})
    for item in shown.values():
        connection.execute(
            _ENTER_ITEM,
            {
                "account": account,
                "case_number": snapshot.case_number,
                "key": item.key,
                "document": encode(item),
                "state": item.state.value,
                "first_seen_at": now,
            },
        )


def _closed(row: Row[Any]) -> Mapping[str, Any]:
    return {} if row.state in _ENDED else {"state": ItemState.CLOSED.value}


def _as_shown(row: Row[Any], item: PendingItem, now: datetime) -> Mapping[str, Any]:
    """What is different in the ledger's entry from now on; nothing where the item stands as it stood."""
    document = encode(item)
    if document == row.document and row.state != ItemState.CLOSED:
        return {}
    entry = {"key": item.key, "document": document, "state": _state_in_ledger(row, item).value}
    return entry | {"dated_at": now} if _moved(row, item) else entry


def _listed_now(row: Row[Any], shown: dict[str, PendingItem]) -> PendingItem | None:
    """The item that the portal now lists for what only its status asked for before: the same entry of the ledger."""
    if not row.key.startswith(STATUS_ITEM_PREFIX) or row.state == ItemState.CLOSED:
        return None
    kind = decode_item(row.document).kind
    key = next(
        (key for key, item in shown.items() if item.kind is kind and not key.startswith(STATUS_ITEM_PREFIX)), None
    )
    return None if key is None else shown.pop(key)


def _state_in_ledger(row: Row[Any], item: PendingItem) -> ItemState:
    """What the user said ("done") stands as long as the portal shows the item open and unmoved."""
    if item.state is ItemState.OPEN and row.state == ItemState.DONE and not _moved(row, item):
        return ItemState.DONE
    return item.state


def _moved(row: Row[Any], item: PendingItem) -> bool:
    before = decode_item(row.document)
    return (before.due_on, before.starts_at) != (item.due_on, item.starts_at)


def follow_notices(connection: Connection, account: str, snapshot: Snapshot, now: datetime) -> None:
    """New notices are entered, known ones brought up to date; a notice stays when the portal removes it."""
    if not snapshot.notices:
        return
    case = {"account_": account, "case_number_": snapshot.case_number}
    known = {row.key: row for row in connection.execute(_NOTICES_OF_CASE, case)}
    for notice in snapshot.notices:
        row, document = known.get(notice.key), encode(notice)
        if row is None:
            entry = {"account": account, "case_number": snapshot.case_number, "key": notice.key, "document": document}
            connection.execute(_ENTER_NOTICE, {**entry, "first_seen_at": now, "attempts": 0})
        elif row.document != document:
            anew = _to_be_fetched_anew() if _is_another(decode_notice(row.document), notice) else {}
            connection.execute(_UPDATE_NOTICE, {"id_": row.id, "document": document, **anew})


def _is_another(before: Notice, now: Notice) -> bool:
    return (before.title, before.dated) != (now.title, now.dated)


def _to_be_fetched_anew() -> Mapping[str, Any]:
    """The file of before stays on disk; what the portal offers now is another."""
    return {"saved_as": None, "sha256": None, "last_error": None, "attempts": 0}
