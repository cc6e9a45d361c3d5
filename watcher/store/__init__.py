"""The only door to the database: snapshots, changes and the alerts they cause, all or none.

Nothing outside this package knows a table or a session; what leaves it are the nouns of `watcher.case`,
`watcher.change`, `watcher.message`, `watcher.standing` and `watcher.health`.
"""

from watcher.store.accounts import Breaker
from watcher.store.documents import digest, digest_of_answers
from watcher.store.locks import Busy
from watcher.store.outbox import Waiting
from watcher.store.store import CaseSave, KnownCase, News, RoundEnd, Store

__all__ = [
    "Breaker",
    "Busy",
    "CaseSave",
    "KnownCase",
    "News",
    "RoundEnd",
    "Store",
    "Waiting",
    "digest",
    "digest_of_answers",
]
