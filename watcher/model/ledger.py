"""The ledger: cases, items, and notices as tracked over time."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from watcher.model.case import ItemKind, ItemState, Notice, PendingItem, Snapshot
from watcher.model.priority import Priority

MAX_DOWNLOAD_ATTEMPTS = 8
"""Failed downloads of one notice (not of the portal) after which only `watcher notices retry` tries again."""


MISSING_AFTER = 3
"""Consecutive complete checks without a case after which it is reported as missing (promise 4)."""


class DueSource(StrEnum):
    """The source of a due date. A letter takes precedence over the portal, the portal over an estimate.

    `user` is the date of a reminder that the user set.
    """

    LETTER = "letter"
    USER = "user"
    PORTAL = "portal"
    ESTIMATE = "estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedItem:
    """A pending item as tracked in the ledger, with what the user entered about it. Never deleted.

    `id` is what the user types. `item` is what the portal showed last; `state` is the ledger's and can also be
    `done` or `closed`. `letter_due_on` is the due date that the user read in the paper letter. `date_changed_at` is
    when the portal last changed the item's date, None if it has not done so since the item was first seen.
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
    def can_be_in_letter(self) -> bool:
        """Whether a letter can name the due date of this item."""
        kind = self.item.kind
        return self.state is ItemState.OPEN and kind is not ItemKind.REMINDER and not kind.is_appointment

    @property
    def due(self) -> tuple[date, DueSource] | None:
        """The due date that applies, and its source."""
        if self.item.kind is ItemKind.REMINDER and (day := self.letter_due_on or self.item.due_on) is not None:
            return day, DueSource.USER
        if self.letter_due_on is not None:
            return self.letter_due_on, DueSource.LETTER
        if self.item.due_on is not None:
            return self.item.due_on, DueSource.PORTAL
        if self.item.due_by_estimate is not None:
            return self.item.due_by_estimate, DueSource.ESTIMATE
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedNotice:
    """A notice as tracked in the ledger; it remains when the portal removes it. `saved_as` is relative to state_dir.

    `attempts` counts downloads that failed because of the notice itself, `last_error` is the reason of the last one.
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
class UserCase:
    """What the user says about a case, before or after its first check, whichever accounts show it.

    `number` is normalized (`watcher.text.case_numbers`). `label` is what the user calls the case, `person` whose it is.
    `finished_at` is when the user finished it, aware, UTC: it is no longer checked. The last three fields are its
    priority date with its category and country.
    """

    number: str
    label: str | None = None
    person: str | None = None
    finished_at: datetime | None = None
    priority_category: str | None = None
    priority_country: str | None = None
    priority_on: date | None = None

    @property
    def priority(self) -> Priority | None:
        """The priority date that the visa bulletin is compared with."""
        if self.priority_on is None or not self.priority_category or not self.priority_country:
            return None
        return Priority(category=self.priority_category, country=self.priority_country, day=self.priority_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedCase:
    """One case as tracked in the ledger. Times are aware, UTC.

    `snapshot` lacks the portal's history of the case, and is None for a case that was configured but never read.
    `stage_since` is the portal's date if `stage_since_from_portal` is true, else the UTC day on which the stage was
    first seen. `silent_update_at` is when only the portal's timestamp changed last (a silent update).
    `missing_reads` counts consecutive complete checks that did not return the case. `label`, `person`, `finished`, and
    `priority` are what the user says (`UserCase`).
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
    label: str | None = None
    person: str | None = None
    finished: bool = False
    priority: Priority | None = None
    items: tuple[TrackedItem, ...] = ()
    notices: tuple[TrackedNotice, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Whether the portal does not know the case, or has not shown it for so long that this was reported."""
        return self.missing_reads >= (1 if self.snapshot is None else MISSING_AFTER)
