"""The only door to the database: snapshots, changes and the alerts they cause, all or none.

Nothing outside this package knows a table or a session; what leaves it are the nouns of `watcher.case`,
`watcher.change`, `watcher.model.alert`, `watcher.model.ledger` and `watcher.health`.

What is named here is imported when it is first asked for: a command that only looks at the books (`StoreReader`) need
not wait for what writes them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watcher.store.database.locks import Busy
    from watcher.store.queries.snapshot_json import digest, digest_of_answers
    from watcher.store.store import Store, StoredCase
    from watcher.store.view import StoreReader
    from watcher.store.writes.outbox import QueuedAlert
    from watcher.store.writes.sign_in_guard import StoredSignInGuard

__all__ = [
    "Busy",
    "QueuedAlert",
    "Store",
    "StoreReader",
    "StoredCase",
    "StoredSignInGuard",
    "digest",
    "digest_of_answers",
]

_HOMES = {
    "StoredSignInGuard": "writes.sign_in_guard",
    "Busy": "database.locks",
    "StoredCase": "store",
    "Store": "store",
    "StoreReader": "view",
    "QueuedAlert": "writes.outbox",
    "digest": "queries.snapshot_json",
    "digest_of_answers": "queries.snapshot_json",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
