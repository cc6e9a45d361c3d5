"""The nouns of a case: what one read of one case said, in values that never change.

A `Snapshot` holds no time of observation: two equal snapshots mean that nothing moved. `None` in a field of a
snapshot means "the portal did not say", never "the portal says there is none" (that is an empty tuple); see
`watcher.reading.normalize` for what becomes of such gaps. Collections are ordered by the portal's stable key, so that
the order on a page is not news.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Stage(StrEnum):
    """Where a status stands in the life of a case."""

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
        """Whether nothing more is to be expected, so that standing still is no stall. `refused` is not final."""
        return self in _FINAL


_FINAL = frozenset({Stage.APPROVED, Stage.ISSUED, Stage.REJECTED, Stage.DENIED, Stage.WITHDRAWN, Stage.CLOSED})


class ItemKind(StrEnum):
    """What a pending item asks of the applicant."""

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

    @property
    def is_appointment(self) -> bool:
        """Whether the applicant has to be somewhere at a time."""
        return self in _APPOINTMENTS


_APPOINTMENTS = frozenset({ItemKind.BIOMETRICS, ItemKind.INTERVIEW, ItemKind.OATH_CEREMONY, ItemKind.APPOINTMENT})


class ItemState(StrEnum):
    """How a pending item stands. A portal says `open` or `answered`; the ledger adds `done` and `closed`."""

    OPEN = "open"
    DONE = "done"
    ANSWERED = "answered"
    CLOSED = "closed"


STATUS_ITEM_PREFIX = "status:"
"""The keys of items that a status title made, where the portal lists none, begin so."""
STATUS_TEXT_FIELDS = ("status", "status_key", "description")
"""The fields of a snapshot that say in words where the case stands."""
STATUS_FIELDS = (*STATUS_TEXT_FIELDS, "status_since")
"""The words and their date: they stand or fall together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingItem:
    """Something the applicant must answer, attend or pay, as the portal shows it.

    `key` is the portal's own stable id (or one made from the status that asks, where the portal lists no items).
    `starts_at` is a `datetime` with a zone where the portal gives one, a naive `datetime` for a wall-clock time whose
    zone the portal does not say, a `date` where only the day is known.
    `due_by_estimate` is computed from published rules, never from the portal; the date on the notice governs.
    """

    key: str
    kind: ItemKind
    title: str
    description: str | None = None
    due_on: date | None = None
    due_by_estimate: date | None = None
    starts_at: datetime | date | None = None
    place: str | None = None
    state: ItemState = ItemState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A letter or document that the portal offers. `download` is a path or URL on the portal's own hosts."""

    key: str
    title: str
    dated: date | None = None
    download: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of the portal's own history of a case. `hint` is a published reading of `code`, never a fact."""

    key: str
    title: str
    at: date | datetime | None = None
    code: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A sub-status with a life of its own (IRCC's eligibility, medical, background check), in the portal's words."""

    key: str
    title: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that one read of a case said. `status` and `description` are the portal's own words, as inert plain text.

    `status_key` is the title that the stage rules went by where that is not `status` itself (the English title beside
    a Spanish one); `language` is the one the words are in, so that choosing another language is no news.
    `partial` names the collections that only some of their sources gave this time (one endpoint failed): what they
    hold counts, what they lack is left as it was.
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
    submitted_on: date | None = None
    updated_at: datetime | date | None = None
    office: str | None = None
    parts: tuple[Part, ...] | None = field(default=None)
    pending: tuple[PendingItem, ...] | None = field(default=None)
    notices: tuple[Notice, ...] | None = field(default=None)
    history: tuple[HistoryEntry, ...] | None = field(default=None)
    partial: frozenset[str] = frozenset()

    @property
    def status_title(self) -> str:
        """The title that the stage rules go by; empty where the portal gave no status."""
        return self.status_key or self.status or ""
