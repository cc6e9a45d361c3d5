"""Queries for published lists that were fetched."""

from watcher.model.published_list import StoredList
from watcher.store.database.query import RunQuery, select_rows

_STATE = "name, address, tried_at, wait_seconds, fetched_at, etag, last_modified, fault"
_STATES = select_rows("published_list", _STATE)
_LISTS = select_rows("published_list", f"{_STATE}, content")


def published_lists(run: RunQuery, *, with_content: bool = True) -> dict[str, StoredList]:
    """Return what is stored of each list, by its name. Without `with_content`, that is left out."""
    return {row.name: StoredList(**row._asdict()) for row in run(_LISTS if with_content else _STATES)}
