"""Queries for what is stored encrypted."""

from watcher.store.database.query import RunQuery, first_row, select_rows

ALL_SEALED = select_rows("sealed", "owner, purpose, content")
_CONTENT = select_rows("sealed", "content", "WHERE owner = :owner AND purpose = :purpose")


def sealed_content(run: RunQuery, owner: str, purpose: str) -> bytes | None:
    """Return what is stored, encrypted; None if there is nothing."""
    row = first_row(run(_CONTENT, owner=owner, purpose=purpose))
    return None if row is None else row.content
