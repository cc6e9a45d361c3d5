"""Somebody has seen an alert, or has dealt with what it is about: what need not go out any more. In a transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, or_, select, update

from watcher.model.alert import AlertState, HoldReason
from watcher.model.change import ChangeKind
from watcher.store.database.tables import AlertChangeRow, AlertRow, ChangeRow

_REMINDERS = (ChangeKind.DEADLINE_NEAR.value, ChangeKind.DEADLINE_PASSED.value)


def of_alert(session: Session, alert_id: int, now: datetime) -> bool:
    """This alert was seen: every escalation of the same changes is dropped. False: no such alert."""
    changes = select(AlertChangeRow.change_id).where(AlertChangeRow.alert_id == alert_id)
    same = select(AlertChangeRow.alert_id).where(col(AlertChangeRow.change_id).in_(changes))
    if session.get(AlertRow, alert_id) is None:
        return False
    session.exec(
        update(AlertRow)
        .where(or_(col(AlertRow.id) == alert_id, col(AlertRow.id).in_(same)))
        .values(acknowledged_at=now)
    )
    _drop_escalations(session, now)
    return True


def of_subject(session: Session, account: str, case_number: str, subject: str, now: datetime) -> None:
    """This item was dealt with: nothing about it is escalated any more, no held reminder goes out."""
    about = (
        select(AlertChangeRow.alert_id)
        .join(ChangeRow, col(ChangeRow.id) == col(AlertChangeRow.change_id))
        .where(ChangeRow.account == account, ChangeRow.case_number == case_number, ChangeRow.subject == subject)
    )
    session.exec(update(AlertRow).where(col(AlertRow.id).in_(about)).values(acknowledged_at=now))
    _drop_escalations(session, now)
    _drop_reminders(session, about, subject, now)


def _drop_escalations(session: Session, now: datetime) -> None:
    session.exec(
        update(AlertRow)
        .where(
            col(AlertRow.state) == AlertState.HELD.value,
            col(AlertRow.hold) == HoldReason.ESCALATION.value,
            col(AlertRow.acknowledged_at).is_not(None),
        )
        .values(state=AlertState.SENT.value, sent_at=now, next_attempt_at=None, note="acknowledged in time")
    )


def _drop_reminders(session: Session, about: Select[Any], subject: str, now: datetime) -> None:
    """Held alerts that only remind of this; one that says something else besides still goes out."""
    more = (
        select(AlertChangeRow.alert_id)
        .join(ChangeRow, col(ChangeRow.id) == col(AlertChangeRow.change_id))
        .where(or_(col(ChangeRow.subject) != subject, col(ChangeRow.kind).not_in(_REMINDERS)))
    )
    session.exec(
        update(AlertRow)
        .where(col(AlertRow.state) == AlertState.HELD.value, col(AlertRow.id).in_(about), col(AlertRow.id).not_in(more))
        .values(state=AlertState.SENT.value, sent_at=now, next_attempt_at=None, note="dealt with in time")
    )
