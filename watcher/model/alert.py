"""The nouns of telling: what an alert is about, the words it is told in, and where it goes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watcher.model.case import Snapshot
from watcher.model.change import Change, RecordedChange, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """A portal's official pages; the only links that ever leave this program."""

    sign_in: str
    help: str
    reset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContext:
    """What one alert is about: the changes of one case in one round, or of one account.

    `changes` has at least one entry. `snapshot` is the case as it stands now, None for what concerns an account.
    `history` is what was told of this case before, newest first.
    """

    account: str
    portal_title: str
    links: Links
    changes: tuple[Change, ...]
    snapshot: Snapshot | None = None
    history: tuple[RecordedChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertText:
    """The words of one alert: a title, the whole text as plain and as HTML, and a form short enough for an SMS."""

    title: str
    body: str
    html: str
    short: str


class HoldReason(StrEnum):
    """Why an alert waits: until quiet hours end, until the digest is due, until nobody has acknowledged it.

    `with_restore_note` does not wait: after a restore nobody can say whether it went out before, so it goes with
    others of its kind as one message.
    """

    QUIET = "quiet"
    DIGEST = "digest"
    ESCALATION = "escalation"
    MAYBE_SENT = "perhaps_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedAlert:
    """Which changes of an occasion (by their place in it) go to which channel, and when.

    `not_before` is aware, UTC; with `hold` None it is the present.
    """

    channel: str
    changes: tuple[int, ...]
    severity: Severity
    not_before: datetime
    hold_reason: HoldReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """An alert about to be queued: where it goes, and its words."""

    routed: RoutedAlert
    text: AlertText


class AlertState(StrEnum):
    """How an alert stands in the outbox."""

    QUEUED = "queued"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One message for one channel, as the outbox keeps it. Times are aware, UTC; words are fixed when it is written."""

    id: int
    channel: str
    state: AlertState
    severity: Severity
    title: str
    body: str
    html: str
    short: str
    change_ids: tuple[int, ...]
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None
    last_error: str | None
