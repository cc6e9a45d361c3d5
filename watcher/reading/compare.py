"""A fresh case compared with the stored one: the changes, and the case as it is stored from now on. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from watcher.model.case import Snapshot
from watcher.model.change import Change, ChangeKind
from watcher.model.writes import CaseWrite
from watcher.portal import RawAnswers
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.store import StoredCase, digest_of_answers


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshCase:
    """A case whose fresh snapshot differs from `known`, the stored one; None if the case is new.

    `snapshot_digest` is that of the fresh snapshot. Not `alert`: it is recorded without alerts. Not `with_changes`: the
    history has its changes already.
    """

    snapshot: Snapshot
    snapshot_digest: bytes
    answers: RawAnswers
    known: StoredCase | None
    alert: bool = True
    with_changes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCase:
    """The changes of a case and its new state."""

    changes: tuple[Change, ...]
    case: CaseWrite


def compare(
    fresh: FreshCase, before: Snapshot | None, *, now: datetime, zone: ZoneInfo, vocabulary: str, language: str
) -> ComparedCase:
    """Compare a fresh case with its stored snapshot, None on the first check.

    `zone` is the office's. The new state has the start of its stage and the time of its last silent update.
    """
    after = normalize(before, fresh.snapshot, vocabulary=vocabulary)
    changes = diff(before, after, now=now, zone=zone, vocabulary=vocabulary)
    known, kinds = fresh.known, {change.kind for change in changes}
    silent_update_at = now if ChangeKind.SILENT_UPDATE in kinds else None
    since, from_portal = after.status_since or now.date(), after.status_since is not None
    if known is not None:
        silent_update_at = silent_update_at or known.silent_update_at
        if known.stage_since is not None and before is not None and ChangeKind.STAGE_CHANGED not in kinds:
            since, from_portal = known.stage_since, known.stage_since_from_portal
    case = CaseWrite(
        snapshot=after,
        snapshot_digest=fresh.snapshot_digest,
        answer_digest=digest_of_answers(fresh.answers, language),
        revision=known.revision if known else None,
        stage_since=since,
        stage_since_from_portal=from_portal,
        silent_update_at=silent_update_at,
    )
    return ComparedCase(changes=changes, case=case)
