"""Cases: what one check of a case returned, as immutable values.

A `Snapshot` contains no time of observation: two equal snapshots mean that nothing changed. `None` in a field of a
snapshot means that the portal did not give a value, never that it says there is none (that is an empty tuple);
`watcher.reading.normalize` handles such gaps. Collections are ordered by the portal's stable key, so the order on a
page does not cause changes.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from watcher.model.appointment_time import AppointmentTime


class Stage(StrEnum):
    """The stage of a case."""

    RECEIVED = "received"
    BIOMETRICS = "biometrics"
    UNDER_REVIEW = "under_review"
    EVIDENCE_REQUESTED = "evidence_requested"
    EVIDENCE_RECEIVED = "evidence_received"
    INTERVIEW = "interview"
    ADMINISTRATIVE_PROCESSING = "administrative_processing"
    TRANSFERRED = "transferred"
    APPROVED = "approved"
    ISSUED = "issued"
    REJECTED = "rejected"
    DENIED = "denied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether no further change is expected, so the case cannot stall. `refused` is not final."""
        return self in _FINAL


_FINAL = frozenset({Stage.APPROVED, Stage.ISSUED, Stage.REJECTED, Stage.DENIED, Stage.WITHDRAWN, Stage.CLOSED})


class ItemKind(StrEnum):
    """What a pending item requires of the applicant. `reminder` is a date of the user's own, never from a portal."""

    RFE = "rfe"
    INTENT_TO_DENY = "intent_to_deny"
    BIOMETRICS = "biometrics"
    INTERVIEW = "interview"
    OATH_CEREMONY = "oath_ceremony"
    APPOINTMENT = "appointment"
    FEE = "fee"
    DOCUMENT_REQUEST = "document_request"
    MEDICAL = "medical"
    TASK = "task"
    REMINDER = "reminder"

    @property
    def is_appointment(self) -> bool:
        """Whether the applicant must attend at a certain time."""
        return self in _APPOINTMENTS


PORTAL_ITEM_KINDS = tuple(kind for kind in ItemKind if kind is not ItemKind.REMINDER)
"""The kinds that a portal's item can have."""
_APPOINTMENTS = frozenset({ItemKind.BIOMETRICS, ItemKind.INTERVIEW, ItemKind.OATH_CEREMONY, ItemKind.APPOINTMENT})


class ItemState(StrEnum):
    """The state of a pending item. Portals give `open` or `answered`; the ledger adds `done` and `closed`."""

    OPEN = "open"
    DONE = "done"
    ANSWERED = "answered"
    CLOSED = "closed"


STATUS_ITEM_PREFIX = "status:"
"""Prefix of the keys of items created from a status title because the portal lists none."""
OWN_PREFIX = "user:"
"""Prefix of the keys of items and notices that the user added. No check changes them."""
STATUS_SOURCE = "status"
"""The source of what the present status title asks for."""
TASK_COUNT_SOURCE = "tasks"
"""The source of an item that is only a number of tasks without names."""
UNLISTED_SOURCE = "unlisted"
"""Marks an appointment that is over because the list in which it stood no longer shows it."""
RECORD_SOURCES = frozenset({"case.events", "case.notices", "documents", "status.history"})
"""Sources that keep an entry after it is over, so that an entry does not say that something is still open."""
STATUS_TEXT_FIELDS = ("status", "status_key", "description")
"""The fields of a snapshot that describe the status in words."""
STATUS_FIELDS = (*STATUS_TEXT_FIELDS, "status_since")
"""The same with their date; taken from one source together or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingItem:
    """Something the applicant must answer, attend, or pay, as the portal shows it.

    `key` is the portal's stable id (or one made from the status title, if the portal lists no items). `starts_at` is
    when an appointment is: a moment, a wall-clock time, or a day. `due_by_estimate` is computed from published rules,
    never from the portal; the date on the notice takes precedence. `asked_on` is the day that the portal gives for the
    request or letter, not the due date. `portal_id` is the portal's own id, None if `key` was made from other facts.
    `list_key` is the key under which the portal lists an item that became known under another one. `sources` are the
    parts of the portal's answers that have shown the item.
    """

    key: str
    kind: ItemKind
    title: str
    description: str | None = None
    due_on: date | None = None
    due_by_estimate: date | None = None
    starts_at: AppointmentTime | None = None
    place: str | None = None
    state: ItemState = ItemState.OPEN
    asked_on: date | None = None
    portal_id: str | None = None
    list_key: str | None = None
    sources: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether the portal still expects something of the applicant."""
        return self.state is ItemState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A letter or document on the portal. `download` is a path or URL on the portal's own hosts.

    `source` is the part of the portal's answers that shows it.
    """

    key: str
    title: str
    dated: date | None = None
    download: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of the portal's history of a case. `hint` is a published interpretation of `code`, not a fact.

    `source` is the part of the portal's answers that shows it.
    """

    key: str
    title: str
    at: date | datetime | None = None
    code: str | None = None
    hint: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An independent sub-status (IRCC's eligibility, medical, background check), in the portal's words."""

    key: str
    title: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that one check of a case returned. `status` and `description` are the portal's words as plain text.

    `status_key` is the title that determined the stage if that is not `status` itself (the English title of a Spanish
    one). `language` is the language of the texts, so switching it does not cause changes. `status_since` is the day
    that the portal states for the status; `status_updated_on` is the day on which it last touched the status, which
    says nothing about the case.

    A source is a part of the portal's answers, such as one endpoint or one list. `silent` are those that did not answer
    this time: what they showed before is left as it was. `answered_sources` are those that answered; in a normalized
    snapshot, those that have ever answered for this case.
    """

    case_number: str
    language: str = "en"
    form: str | None = None
    title: str | None = None
    stage: Stage = Stage.UNKNOWN
    status: str | None = None
    status_key: str | None = None
    description: str | None = None
    status_since: date | None = None
    status_updated_on: date | None = None
    submitted_on: date | None = None
    updated_at: datetime | date | None = None
    office: str | None = None
    parts: tuple[Part, ...] | None = field(default=None)
    pending: tuple[PendingItem, ...] | None = field(default=None)
    notices: tuple[Notice, ...] | None = field(default=None)
    history: tuple[HistoryEntry, ...] | None = field(default=None)
    silent: frozenset[str] = frozenset()
    answered_sources: frozenset[str] = frozenset()

    @property
    def status_title(self) -> str:
        """The title that determines the stage; empty if the portal gave no status."""
        return self.status_key or self.status or ""
