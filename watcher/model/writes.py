"""What is written in one transaction: what was seen, what changed, who is told, and how a round ended."""

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
    """A case as it is to stand from now on.

    `seen` is the digest of the fresh snapshot, before it was settled, `heard` that of the answers it was read from.
    `revision` is the one that was compared with, None where the case was in no book; another one now is a conflict.
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
    """What belongs together and is written in one transaction: what was seen, what changed, who is told.

    `summaries` has one line for each change. `answers` are kept as the case's last good ones, or with
    `answers_strange` as its last strange ones.
    """

    account: str
    case_number: str | None = None
    case: CaseWrite | None = None
    changes: tuple[Change, ...] = ()
    summaries: tuple[str, ...] = ()
    drafts: tuple[AlertDraft, ...] = ()
    reminders: tuple[SentReminder, ...] = ()
    health: AccountHealth | None = None
    answers: Mapping[str, bytes] | None = None
    answers_unexpected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEnd:
    """The end of one round of reads. `read` and `missing` are case numbers; `next_read_at` is when to read again."""

    account: str
    complete: bool
    next_read_at: datetime
    read: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
