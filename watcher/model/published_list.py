"""A published list that was fetched from an address of the user's."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredList:
    """What is stored of a published list. Times are aware, UTC.

    `address` is where it was fetched from. `content` is the last usable one, None if there was none yet; `fetched_at`
    is when the address last gave it, or said that it is unchanged. `etag` and `last_modified` are the server's, for the
    next request. The next fetch is `wait_seconds` after `tried_at`. `fault` is why the last fetch failed.
    """

    name: str
    address: str
    tried_at: datetime
    wait_seconds: int
    content: bytes | None = None
    fetched_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    fault: str | None = None

    @property
    def next_fetch_at(self) -> datetime:
        """When to fetch it again."""
        return self.tried_at + timedelta(seconds=self.wait_seconds)
