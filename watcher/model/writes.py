"""The data that one transaction writes: snapshot, changes, alerts, and the end of a check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from watcher.model.account_health import AccountHealth
from watcher.model.alert import AlertDraft
from watcher.model.case import Snapshot
from watcher.model.change import Change
from watcher.model.reminder import SentReminder


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWrite:
    """The new state of a case.

    `snapshot_digest` is the digest of the fresh snapshot before it was normalized, `answer_digest` that of its answers.
    `revision` is the one it was compared with, or None for a new case; any other stored revision is a conflict.
    """

    snapshot: Snapshot
    snapshot_digest: bytes
    answer_digest: bytes
    revision: int | None
    stage_since: date
    stage_since_from_portal: bool
    silent_update_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSet:
    """Everything that is written together, in one transaction.

    `summaries` has one line for each change. `about` has the ids of earlier changes that every draft is also about.
    `answers` replace the case's last good ones, or its last unexpected ones
    if `answers_unexpected` is true. With `only_notified`, of `health` only which problems were reported is written:
    the rest belongs to a check that is under way.
    """

    account: str
    case_number: str | None = None
    case: CaseWrite | None = None
    changes: tuple[Change, ...] = ()
    summaries: tuple[str, ...] = ()
    drafts: tuple[AlertDraft, ...] = ()
    about: tuple[int, ...] = ()
    reminders: tuple[SentReminder, ...] = ()
    health: AccountHealth | None = None
    only_notified: bool = False
    answers: Mapping[str, bytes] | None = None
    answers_unexpected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEnd:
    """The end of one check of an account. `read`, `missing`, and `finished` are case numbers.

    `complete`: every known case was read, is missing, or is finished and was left out.
    """

    account: str
    complete: bool
    next_read_at: datetime
    read: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    finished: frozenset[str] = frozenset()
