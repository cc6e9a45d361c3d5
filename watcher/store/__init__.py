"""The only door to the database: snapshots, changes and the alerts they cause, all or none.

Nothing outside this package knows a table or a session; what leaves it are the nouns of `watcher.case`,
`watcher.change`, `watcher.message`, `watcher.standing` and `watcher.health`.

What is named here is imported when it is first asked for: a command that only looks at the books (`View`) need not wait
for what writes them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watcher.store.accounts import Breaker
    from watcher.store.documents import digest, digest_of_answers
    from watcher.store.locks import Busy
    from watcher.store.outbox import Waiting
    from watcher.store.store import CaseSave, KnownCase, News, RoundEnd, Store
    from watcher.store.view import View

__all__ = [
    "Breaker",
    "Busy",
    "CaseSave",
    "KnownCase",
    "News",
    "RoundEnd",
    "Store",
    "View",
    "Waiting",
    "digest",
    "digest_of_answers",
]

_HOMES = {
    "Breaker": "accounts",
    "Busy": "locks",
    "CaseSave": "store",
    "KnownCase": "store",
    "News": "store",
    "RoundEnd": "store",
    "Store": "store",
    "View": "view",
    "Waiting": "outbox",
    "digest": "documents",
    "digest_of_answers": "documents",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
