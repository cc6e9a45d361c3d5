"""Changes: what happened, and how severe it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TypeAlias

from watcher.model.case import Stage

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class Severity(StrEnum):
    """The severity of a change; `rank` gives the order, `urgent` is highest."""

    ROUTINE = "routine"
    IMPORTANT = "important"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 for routine, 1 for important, 2 for urgent."""
        return _RANKS[self]


_RANKS = {Severity.ROUTINE: 0, Severity.IMPORTANT: 1, Severity.URGENT: 2}


class CloseReason(StrEnum):
    """Why an item was closed; part of an `item_closed` under `reason`. `unlisted`: the portal does not say why."""

    ANSWERED = "answered"
    CANCELLED = "cancelled"
    CASE_ENDED = "case_ended"
    NOTHING_OUTSTANDING = "nothing_outstanding"
    REPLACED = "replaced"
    TIME_PASSED = "time_passed"
    UNLISTED = "unlisted"


class ChangeKind(StrEnum):
    """The kind of a change. The first five groups concern a case, the sixth an account, then a channel, then all.

    `list_failing` is about a published list, `reminder` is of a date of the user's own, and a `note` is the user's own
    text: it is never alerted.
    """

    RFE_RECEIVED = "rfe_received"
    INTENT_TO_DENY_RECEIVED = "intent_to_deny_received"
    APPOINTMENT_SCHEDULED = "appointment_scheduled"
    APPOINTMENT_CHANGED = "appointment_changed"
    APPOINTMENT_CANCELLED = "appointment_cancelled"

    STAGE_CHANGED = "stage_changed"
    STATUS_CHANGED = "status_changed"
    PART_CHANGED = "part_changed"
    DETAIL_CHANGED = "detail_changed"
    ITEM_ADDED = "item_added"
    ITEM_CHANGED = "item_changed"
    ITEM_CLOSED = "item_closed"
    NOTICE_ADDED = "notice_added"
    NOTICE_CHANGED = "notice_changed"
    NOTICE_REMOVED = "notice_removed"
    HISTORY_ADDED = "history_added"
    HISTORY_CHANGED = "history_changed"
    HISTORY_REMOVED = "history_removed"
    SILENT_UPDATE = "silent_update"

    DEADLINE_NEAR = "deadline_near"
    DEADLINE_PASSED = "deadline_passed"
    STALLED = "stalled"
    INQUIRY_OPEN = "inquiry_open"
    PRIORITY_CURRENT = "priority_current"
    PRIORITY_BACK = "priority_back"
    LOOK_REMINDER = "look_reminder"
    OFFICIAL_MAIL = "official_mail"
    REMINDER = "reminder"

    NOTE = "note"

    CASE_ADDED = "case_added"
    CASE_NOT_FOUND = "case_not_found"
    CASE_MISSING = "case_missing"
    CASE_RETURNED = "case_returned"

    SIGN_IN_REJECTED = "sign_in_rejected"
    ACCOUNT_LOCKED = "account_locked"
    MFA_NEEDED = "mfa_needed"
    SESSION_ENDED = "session_ended"
    PORTAL_UNREADABLE = "portal_unreadable"
    BLIND = "blind"
    RECOVERED = "recovered"

    CHANNEL_FAILING = "channel_failing"

    LIST_FAILING = "list_failing"
    CLOCK_SET_BACK = "clock_set_back"


_URGENT = frozenset(
    {
        ChangeKind.RFE_RECEIVED,
        ChangeKind.INTENT_TO_DENY_RECEIVED,
        ChangeKind.APPOINTMENT_SCHEDULED,
        ChangeKind.APPOINTMENT_CHANGED,
        ChangeKind.APPOINTMENT_CANCELLED,
        ChangeKind.DEADLINE_NEAR,
        ChangeKind.DEADLINE_PASSED,
        ChangeKind.SIGN_IN_REJECTED,
        ChangeKind.ACCOUNT_LOCKED,
        ChangeKind.MFA_NEEDED,
        ChangeKind.SESSION_ENDED,
    }
)
_IMPORTANT = frozenset(
    {
        ChangeKind.STAGE_CHANGED,
        ChangeKind.STATUS_CHANGED,
        ChangeKind.PART_CHANGED,
        ChangeKind.ITEM_ADDED,
        ChangeKind.ITEM_CHANGED,
        ChangeKind.NOTICE_ADDED,
        ChangeKind.STALLED,
        ChangeKind.INQUIRY_OPEN,
        ChangeKind.PRIORITY_CURRENT,
        ChangeKind.PRIORITY_BACK,
        ChangeKind.LOOK_REMINDER,
        ChangeKind.OFFICIAL_MAIL,
        ChangeKind.REMINDER,
        ChangeKind.CASE_NOT_FOUND,
        ChangeKind.CASE_MISSING,
        ChangeKind.BLIND,
        ChangeKind.PORTAL_UNREADABLE,
        ChangeKind.CHANNEL_FAILING,
        ChangeKind.LIST_FAILING,
        ChangeKind.CLOCK_SET_BACK,
    }
)
_URGENT_STAGES = frozenset({Stage.DENIED, Stage.REFUSED, Stage.REJECTED, Stage.CLOSED})


def severity_of(kind: ChangeKind, stage: Stage | None = None, words: Severity | None = None) -> Severity:
    """Return the severity of a change of this kind.

    `stage` is the new stage of a `stage_changed`. `words` is the severity of a new status by its words: it is that of a
    `status_changed`, and makes a `stage_changed` into `unknown` urgent if the words ask for something.
    """
    if kind is ChangeKind.STATUS_CHANGED and words is not None:
        return words
    if kind is ChangeKind.STAGE_CHANGED and stage is Stage.UNKNOWN and words is Severity.URGENT:
        return Severity.URGENT
    if kind in _URGENT or (kind is ChangeKind.STAGE_CHANGED and stage in _URGENT_STAGES):
        return Severity.URGENT
    return Severity.IMPORTANT if kind in _IMPORTANT else Severity.ROUTINE


@cache
def severities_of(kind: ChangeKind) -> frozenset[Severity]:
    """Return every severity that a change of this kind can have."""
    return frozenset(severity_of(kind, stage, words) for stage in (None, *Stage) for words in (None, *Severity))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference between two snapshots, or something that only time caused.

    `case_number` is None if the change concerns an account. `subject` names what changed in the case: the key of a
    pending item, notice, history entry, or part, or the name of a field. `old` and `new` are plain JSON values.
    """

    kind: ChangeKind
    severity: Severity
    case_number: str | None = None
    subject: str | None = None
    old: Json = None
    new: Json = None


def note_text(change: Change) -> str | None:
    """Return the text of a note of the user's own; None for another change."""
    text = change.new.get("text") if change.kind is ChangeKind.NOTE and isinstance(change.new, dict) else None
    return text if isinstance(text, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedChange:
    """A change as stored, with its one-line summary. `at` is aware, UTC."""

    id: int
    at: datetime
    account: str
    change: Change
    summary: str
