"""How a case stands in our own books: the last snapshot, and what only watching over time can know."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from watcher.model.case import ItemState, Notice, PendingItem, Snapshot

MAX_DOWNLOAD_ATTEMPTS = 8
"""Downloads that failed for the notice's own sake, after which it is left alone until `watcher notices retry`."""


class DueSource(StrEnum):
    """Where a due date comes from; the letter governs over the portal, the portal over an estimate."""

    LETTER = "letter"
    PORTAL = "portal"
    ESTIMATE = "estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedItem:
    """A pending item as the ledger keeps it: never deleted, with what the user said of it.

    `id` is what the user types. `item` is as the portal last showed it; `state` is the ledger's, which also knows
    `done` and `closed`. `letter_due_on` is the due date that the user read off the paper letter. `date_changed_at` is
    when the portal last moved the item's date, None where it never did since the item was first seen.
    """

    id: int
    account: str
    case_number: str
    item: PendingItem
    state: ItemState
    first_seen_at: datetime
    letter_due_on: date | None = None
    date_changed_at: datetime | None = None

    @property
    def due(self) -> tuple[date, DueSource] | None:
        """The due date that counts, and where it comes from."""
        if self.letter_due_on is not None:
            return self.letter_due_on, DueSource.LETTER
        if self.item.due_on is not None:
            return self.item.due_on, DueSource.PORTAL
        if self.item.due_by_estimate is not None:
            return self.item.due_by_estimate, DueSource.ESTIMATE
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedNotice:
    """A notice as the books keep it: it stays when the portal removes it. `saved_as` is relative to state_dir.

    `attempts` counts the downloads that failed for the notice's own sake, `last_error` says why the last one did.
    """

    id: int
    account: str
    case_number: str
    notice: Notice
    first_seen_at: datetime
    saved_as: str | None = None
    sha256: str | None = None
    attempts: int = 0
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedCase:
    """One case in the books. Times are aware, UTC.

    `snapshot` is without the portal's own history, and None for a case that was configured but never read.
    `stage_since` is the portal's own date where `stage_since_from_portal` is true, else the UTC day on which the stage
    was first seen. `silent_update_at` is when the portal's timestamp last moved without anything else (a silent
    update).
    `missing_reads` counts complete reads in a row without it.
    """

    account: str
    case_number: str
    snapshot: Snapshot | None
    first_seen_at: datetime
    last_read_at: datetime | None
    stage_since: date | None = None
    stage_since_from_portal: bool = False
    silent_update_at: datetime | None = None
    missing_reads: int = 0
    items: tuple[TrackedItem, ...] = ()
    notices: tuple[TrackedNotice, ...] = ()
