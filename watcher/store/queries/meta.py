"""Queries for the values that belong to the database itself."""

from watcher.store.database.query import RunQuery, first_row, select_rows

_VALUE = select_rows("meta", "value", "WHERE key = :key")
_VALUES = select_rows("meta", "key, value", "WHERE substr(key, 1, :length) = :prefix")


def meta_value(run: RunQuery, key: str) -> str | None:
    """Return the value of a key, or None."""
    row = first_row(run(_VALUE, key=key))
    return None if row is None else row.value


def meta_values(run: RunQuery, prefix: str) -> dict[str, str]:
    """Return every value whose key begins with the prefix."""
    return {row.key: row.value for row in run(_VALUES, prefix=prefix, length=len(prefix))}
