"""Queries for who may use the page. Tokens are looked up by their digest."""

from datetime import datetime
from typing import Any

from watcher.model.web import KeyKind, Passkey, PushSubscription, WebKey
from watcher.store.database.query import RunQuery, first_row, select_rows

_KEY = "id, kind, person, read_only, name, created_at, last_seen_at"
_PASSKEY = "id, credential, public_key, sign_count, person, read_only, name, created_at, last_used_at"
_BY_DIGEST = select_rows("web_key", _KEY, "WHERE digest = :digest AND kind = :kind")
_OF_KIND = select_rows("web_key", _KEY, "WHERE kind = :kind ORDER BY id")
_PASSKEYS = select_rows("passkey", _PASSKEY, "ORDER BY id")
_BY_CREDENTIAL = select_rows("passkey", _PASSKEY, "WHERE credential = :credential")
PUSHED = select_rows("push_subscription", "id, device_id, content, created_at", "ORDER BY id")
_OF_LINK = select_rows("alert", "id, created_at", "WHERE link_digest = :digest")


def key_with(run: RunQuery, kind: KeyKind, digest: bytes) -> WebKey | None:
    """Return the key of this kind whose token has this digest, also one that has expired."""
    row = first_row(run(_BY_DIGEST, kind=kind.value, digest=digest))
    return None if row is None else _key(row)


def keys(run: RunQuery, kind: KeyKind) -> list[WebKey]:
    """Return every key of this kind, oldest first, also those that have expired."""
    return [_key(row) for row in list(run(_OF_KIND, kind=kind.value))]


def passkeys(run: RunQuery) -> list[Passkey]:
    """Return every passkey, oldest first."""
    return [_passkey(row) for row in list(run(_PASSKEYS))]


def passkey_with(run: RunQuery, credential: bytes) -> Passkey | None:
    """Return the passkey with this credential id."""
    row = first_row(run(_BY_CREDENTIAL, credential=credential))
    return None if row is None else _passkey(row)


def push_subscriptions(run: RunQuery) -> list[PushSubscription]:
    """Return the subscription of each device that has one, oldest first."""
    rows = list(run(PUSHED))
    devices = {device.id: device for device in keys(run, KeyKind.DEVICE)} if rows else {}
    return [
        PushSubscription(id=row.id, device=devices[row.device_id], content=row.content, created_at=row.created_at)
        for row in rows
        if row.device_id in devices
    ]


def alert_of_link(run: RunQuery, digest: bytes) -> tuple[int, datetime] | None:
    """Return the number of the alert whose link has a token with this digest, and when the alert was created."""
    row = first_row(run(_OF_LINK, digest=digest))
    return None if row is None else (row.id, row.created_at)


def _key(row: Any) -> WebKey:
    return WebKey(**row._asdict() | {"kind": KeyKind(row.kind)})


def _passkey(row: Any) -> Passkey:
    return Passkey(**row._asdict())
