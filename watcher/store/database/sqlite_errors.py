"""SQLite's errors as messages a person can act on; for PostgreSQL see `watcher.store.database.postgres`."""

from watcher.errors import has_no_free_descriptor
from watcher.store.database.schema import FOREIGN, OTHER_TABLES

DAMAGED_ROW = "a stored row is damaged; restore a backup with `watcher restore`"
DAMAGED_VALUE = (ValueError, TypeError, KeyError, AttributeError)
"""What reading a row raises if a value in it is not what was written."""

DISK_FULL = "the disk is full; nothing was lost. Free some space"
NOT_WRITABLE = "it cannot be written; check the owner and mode of the file and its folder"
OUT_OF_FILES = "this program cannot open more files; raise its limit (LimitNOFILE, ulimit -n)"
_REASONS = {
    "not a database": "it is not an SQLite database, or is damaged; restore a backup with `watcher restore`",
    "malformed": "the database is damaged; restore a backup with `watcher restore`",
    "disk is full": DISK_FULL,
    "readonly": NOT_WRITABLE,
    "unable to open": "it cannot be opened; check that its folder exists and belongs to the user who runs this program",
    "locked": "another program has locked it",
    "disk i/o": "the disk reports errors",
    "no such table": OTHER_TABLES,
    "no such column": OTHER_TABLES,
    "has no column": OTHER_TABLES,
    "already exists": FOREIGN,
}


def reason_of(error: object) -> str:
    """Return why SQLite refused; SQLite's own message if none of ours fits."""
    message = str(error)
    if has_no_free_descriptor():
        return OUT_OF_FILES
    return next((reason for sign, reason in _REASONS.items() if sign in message.lower()), message)
