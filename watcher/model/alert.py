"""Alerts: what they are about, their text, and where they go."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from watcher.messages import Words
from watcher.model.case import Snapshot
from watcher.model.change import Change, RecordedChange, Severity
from watcher.model.ledger import UserCase

GIVE_UP_AFTER = timedelta(days=7)
"""How long after its first attempt an alert is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Official pages of a portal. Alerts contain no other links."""

    sign_in: str
    help: str
    reset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContext:
    """The subject of one alert: the changes of one case in one check, of one account, or of one channel.

    `changes` has at least one entry. For a channel, `account` and `portal_title` are empty and `links` is None.
    `agency` is the short name of the agency, empty if it is not known.
    `snapshot` is the present state of the case, None if the alert concerns something else. `history` has earlier
    changes of the case, newest first. `now` is when the alert is written, aware; None if that does not matter.
    `label` is what the user calls the case, `person` whose it is. `account_cases` are the cases of the account, if the
    alert concerns no single case and a channel is only for some of them. `unread` are the numbers of those that no
    check has read for too long, although others may have been read. `plain_status` has the translations of the
    snapshot's status by language, if the agency's language is not the readers'.
    """

    account: str
    portal_title: str
    links: Links | None
    changes: tuple[Change, ...]
    snapshot: Snapshot | None = None
    history: tuple[RecordedChange, ...] = ()
    now: datetime | None = None
    agency: str = ""
    label: str | None = None
    person: str | None = None
    account_cases: tuple[UserCase, ...] = ()
    unread: frozenset[str] = frozenset()
    plain_status: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertText:
    """The text of one alert: a title, the complete text (plain and HTML), and a version that fits in an SMS."""

    title: str
    body: str
    html: str
    short: str


class HoldReason(StrEnum):
    """Why an alert waits: for the end of quiet hours, for a digest, or to escalate if nobody acknowledges it.

    An alert with `MAYBE_SENT` does not wait. After a restore it is not known whether it was sent before. Such alerts of
    a channel are sent as one message, except urgent ones, which are never combined.
    """

    QUIET = "quiet"
    DIGEST = "digest"
    ESCALATION = "escalation"
    MAYBE_SENT = "perhaps_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedAlert:
    """The changes of an alert context (by index) that one channel gets, and when.

    `not_before` is aware, UTC; it is the present if `hold_reason` is None.
    """

    channel: str
    changes: tuple[int, ...]
    severity: Severity
    not_before: datetime
    hold_reason: HoldReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """An alert to add to the outbox: its route and text."""

    routed: RoutedAlert
    text: AlertText


class AlertState(StrEnum):
    """The state of an alert in the outbox. `dropped`: not sent, because it is no longer true or was seen."""

    QUEUED = "queued"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHead:
    """One message for one channel, as stored in the outbox, without its text. Times are aware, UTC.

    `first_attempt_at` is None until an attempt has failed. `covered_by` is the id of the alert whose message included
    this one (`sent`) or that made it untrue (`dropped`). `note` says why it was dropped.
    """

    id: int
    channel: str
    state: AlertState
    severity: Severity
    title: str
    change_ids: tuple[int, ...]
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None
    last_error: str | None
    note: str | None = None
    first_attempt_at: datetime | None = None
    covered_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(AlertHead):
    """An alert with its text, which never changes."""

    body: str
    html: str
    short: str
