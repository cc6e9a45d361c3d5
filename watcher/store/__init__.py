"""The database: snapshots, changes, and the alerts they cause, written together or not at all.

Nothing outside this package uses a table or a connection. The package accepts and returns the data classes of
`watcher.model`.

The names below are imported on first use, so that a command that only reads (`StoreReader`) does not wait for the
imports that writing needs.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watcher.store.database.locks import Busy, HeldLock
    from watcher.store.queries.cases import EarlierCase, StoredCase
    from watcher.store.queries.outbox import QueuedAlert, SentAlert
    from watcher.store.queries.snapshot_json import digest, digest_of_answers
    from watcher.store.store import Store
    from watcher.store.view import StoreReader
    from watcher.store.writes.claims import claimant
    from watcher.store.writes.outbox import MAX_REST
    from watcher.store.writes.saved_values import SavedValue, SavedValues
    from watcher.store.writes.sign_in_guard import StoredSignInGuard

__all__ = [
    "MAX_REST",
    "Busy",
    "EarlierCase",
    "HeldLock",
    "QueuedAlert",
    "SavedValue",
    "SavedValues",
    "SentAlert",
    "Store",
    "StoreReader",
    "StoredCase",
    "StoredSignInGuard",
    "claimant",
    "digest",
    "digest_of_answers",
]

_MODULES = {
    "MAX_REST": "writes.outbox",
    "Busy": "database.locks",
    "EarlierCase": "queries.cases",
    "HeldLock": "database.locks",
    "QueuedAlert": "queries.outbox",
    "SavedValue": "writes.saved_values",
    "SavedValues": "writes.saved_values",
    "SentAlert": "queries.outbox",
    "Store": "store",
    "StoreReader": "view",
    "StoredCase": "queries.cases",
    "StoredSignInGuard": "writes.sign_in_guard",
    "claimant": "writes.claims",
    "digest": "queries.snapshot_json",
    "digest_of_answers": "queries.snapshot_json",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
