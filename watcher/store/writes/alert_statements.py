"""Statements that mark alerts, and their conditions."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Update, bindparam, or_

from watcher.model.alert import AlertState
from watcher.store.database.tables import ALERTS

MARK_SENT = (
    ALERTS.update()
    .where(ALERTS.c.id == bindparam("alert_id_"))
    .values(
        state=AlertState.SENT.value,
        sent_at=bindparam("sent_at_"),
        next_attempt_at=None,
        attempts=ALERTS.c.attempts + 1,
        last_error=None,
        covered_by=bindparam("covered_by_"),
        claimed_by=None,
        claimed_until=None,
    )
)
IS_WAITING = or_(ALERTS.c.state == AlertState.QUEUED.value, ALERTS.c.state == AlertState.HELD.value)
IS_UNCLAIMED = ALERTS.c.claimed_by.is_(None)
DROP = (
    ALERTS.update()
    .where(ALERTS.c.id == bindparam("alert_id_"), IS_WAITING, IS_UNCLAIMED)
    .values(
        state=AlertState.DROPPED.value,
        next_attempt_at=None,
        covered_by=bindparam("covered_by_"),
        note=bindparam("note_"),
    )
)


def update_waiting(alert_ids: Collection[int]) -> Update:
    """Return an update of those alerts that still wait and that nobody is sending."""
    return ALERTS.update().where(ALERTS.c.id.in_(alert_ids), IS_WAITING, IS_UNCLAIMED)


def is_free_for(claimant: str | None) -> ColumnElement[bool]:
    """Return the condition that no delivery but this one has claimed an alert."""
    return or_(IS_UNCLAIMED, ALERTS.c.claimed_by == (claimant or ""))
