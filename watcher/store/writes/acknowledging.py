"""Acknowledging alerts and items, and dropping the alerts this makes unnecessary, within the caller's transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from watcher.messages import _
from watcher.model.alert import AlertState, HoldReason
from watcher.model.change import ChangeKind
from watcher.store.database.tables import ALERT_CHANGES, ALERTS, CHANGES

_WAITING = (AlertState.QUEUED.value, AlertState.HELD.value)
_REMINDERS = (ChangeKind.DEADLINE_NEAR.value, ChangeKind.DEADLINE_PASSED.value)
_ALERTS_BY_CHANGE = select(ALERT_CHANGES.c.alert_id).join(CHANGES, CHANGES.c.id == ALERT_CHANGES.c.change_id)


def acknowledge_alert(connection: Connection, alert_id: int, now: datetime) -> bool:
    """Acknowledge an alert, with those that its message included, and drop every escalation of the same changes.

    Return False for an unknown alert.
    """
    included = (ALERTS.c.covered_by == alert_id) & (ALERTS.c.state == AlertState.SENT.value)
    message = select(ALERTS.c.id).where(or_(ALERTS.c.id == alert_id, included))
    changes = select(ALERT_CHANGES.c.change_id).where(ALERT_CHANGES.c.alert_id.in_(message))
    same = select(ALERT_CHANGES.c.alert_id).where(ALERT_CHANGES.c.change_id.in_(changes))
    acknowledged = connection.execute(
        ALERTS.update().where(or_(ALERTS.c.id.in_(message), ALERTS.c.id.in_(same))).values(acknowledged_at=now)
    )
    if acknowledged.rowcount == 0:
        return False
    _drop_escalations(connection)
    return True


def acknowledge_subject(connection: Connection, account: str, case_number: str, subject: str, now: datetime) -> None:
    """Acknowledge the alerts about an item that is done: drop its escalations and held reminders."""
    about = _ALERTS_BY_CHANGE.where(
        CHANGES.c.account == account, CHANGES.c.case_number == case_number, CHANGES.c.subject == subject
    )
    connection.execute(ALERTS.update().where(ALERTS.c.id.in_(about)).values(acknowledged_at=now))
    _drop_escalations(connection)
    _drop_reminders(connection, about, subject)


def _drop_escalations(connection: Connection) -> None:
    connection.execute(
        ALERTS.update()
        .where(
            ALERTS.c.state.in_(_WAITING),
            ALERTS.c.hold_reason == HoldReason.ESCALATION.value,
            ALERTS.c.acknowledged_at.is_not(None),
        )
        .values(state=AlertState.DROPPED.value, next_attempt_at=None, note=_("acknowledged in time"))
    )


def _drop_reminders(connection: Connection, about: Select[Any], subject: str) -> None:
    """Drop held alerts that only remind of this; an alert that says something else too is still sent."""
    more = _ALERTS_BY_CHANGE.where(or_(CHANGES.c.subject != subject, CHANGES.c.kind.not_in(_REMINDERS)))
    connection.execute(
        ALERTS.update()
        .where(
            ALERTS.c.state.in_(_WAITING),
            ALERTS.c.hold_reason.is_not(None),
            ALERTS.c.id.in_(about),
            ALERTS.c.id.not_in(more),
        )
        .values(state=AlertState.DROPPED.value, next_attempt_at=None, note=_("dealt with in time"))
    )
