"""SQLite's errors as messages a person can act on; for PostgreSQL see `watcher.store.database.postgres`."""

from watcher.errors import StoreDamaged, StoreUnusable, has_no_free_descriptor
from watcher.messages import _, mark
from watcher.store.database.schema import FOREIGN, OTHER_TABLES

DAMAGED_ROW = mark("a stored row is damaged; restore a backup with `watcher restore`")
DAMAGED_VALUE = (ValueError, TypeError, KeyError, AttributeError)
"""What reading a row raises if a value in it is not what was written."""

_DAMAGE = ("not a database", "malformed")
DISK_FULL = mark("the disk is full; nothing was lost. Free some space")
NOT_WRITABLE = mark("it cannot be written; check the owner and mode of the file and its folder")
OUT_OF_FILES = mark("this program cannot open more files; raise its limit (LimitNOFILE, ulimit -n)")
_REASONS = {
    "not a database": mark("it is not an SQLite database, or is damaged; restore a backup with `watcher restore`"),
    "malformed": mark("the database is damaged; restore a backup with `watcher restore`"),
    "disk is full": DISK_FULL,
    "readonly": NOT_WRITABLE,
    "unable to open": mark(
        "it cannot be opened; check that its folder exists and belongs to the user who runs this program"
    ),
    "locked": mark("another program has locked it"),
    "disk i/o": mark("the disk reports errors"),
    "no such table": OTHER_TABLES,
    "no such column": OTHER_TABLES,
    "has no column": OTHER_TABLES,
    "already exists": FOREIGN,
}


def reason_of(error: object) -> str:
    """Return why SQLite refused; SQLite's own message if none of ours fits."""
    message = str(error)
    if has_no_free_descriptor():
        return _(OUT_OF_FILES)
    return next((_(reason) for sign, reason in _REASONS.items() if sign in message.lower()), message)


def store_error(name: object, error: object) -> StoreUnusable:
    """Return the error to raise when SQLite refused to use a database. `name` is its name for messages."""
    is_damaged = any(sign in str(error).lower() for sign in _DAMAGE) and not has_no_free_descriptor()
    kind = StoreDamaged if is_damaged else StoreUnusable
    return kind(_("database {name}: {reason}", name=name, reason=reason_of(error)))


def damaged_row(name: object) -> StoreDamaged:
    """Return the error to raise when a stored value is not what was written."""
    return StoreDamaged(_("database {name}: {reason}", name=name, reason=_(DAMAGED_ROW)))
