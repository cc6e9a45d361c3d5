"""The state of a case as one check leaves it. Pure."""

from datetime import datetime

from watcher.model.case import Snapshot
from watcher.model.change import Change, ChangeKind
from watcher.model.writes import CaseWrite
from watcher.store import StoredCase


def case_write(
    known: StoredCase | None,
    before: Snapshot | None,
    after: Snapshot,
    changes: tuple[Change, ...],
    now: datetime,
    *,
    snapshot_digest: bytes,
    answer_digest: bytes,
) -> CaseWrite:
    """Return the case as stored from now on, with the start of its stage and the time of its last silent update."""
    kinds = {change.kind for change in changes}
    silent_update_at = now if ChangeKind.SILENT_UPDATE in kinds else None
    since, from_portal = after.status_since or now.date(), after.status_since is not None
    if known is not None:
        silent_update_at = silent_update_at or known.silent_update_at
        if known.stage_since is not None and before is not None and ChangeKind.STAGE_CHANGED not in kinds:
            since, from_portal = known.stage_since, known.stage_since_from_portal
    return CaseWrite(
        snapshot=after,
        snapshot_digest=snapshot_digest,
        answer_digest=answer_digest,
        revision=known.revision if known else None,
        stage_since=since,
        stage_since_from_portal=from_portal,
        silent_update_at=silent_update_at,
    )
