"""The outbox: alerts wait here until a channel has taken them. Dispatch is a courier; words are fixed already."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select, update

from watcher.errors import StoreUnusable
from watcher.model.alert import Alert, AlertState, AlertText, HoldReason
from watcher.model.change import RecordedChange
from watcher.store.database.engine import Database
from watcher.store.database.tables import ALERT_CHANGES, ALERTS, CHANGES, AlertRow
from watcher.store.queries.queries import alert_of, recorded_change
from watcher.store.queries.views import OutboxView
from watcher.store.writes import acknowledging

_TOLD = (
    CHANGES.select()
    .add_columns(ALERT_CHANGES.c.alert_id)
    .join(ALERT_CHANGES, CHANGES.c.id == ALERT_CHANGES.c.change_id)
    .where(ALERT_CHANGES.c.alert_id.in_(bindparam("alerts", expanding=True)))
    .order_by(CHANGES.c.id)
)
_SENT = (
    ALERTS.update()
    .where(ALERTS.c.id == bindparam("alert_id_"))
    .values(
        state=AlertState.SENT.value,
        sent_at=bindparam("sent_at_"),
        next_attempt_at=None,
        attempts=ALERTS.c.attempts + 1,
        last_error=None,
        note=bindparam("note_"),
    )
)
_WAITING = (AlertState.QUEUED.value, AlertState.HELD.value)
_LONGEST_DELAY, _LONGEST_HOLD = timedelta(hours=3), timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedAlert:
    """An alert that is still to go out, with what it is about."""

    alert: Alert
    account: str
    case_number: str | None
    hold_reason: HoldReason | None
    changes: tuple[RecordedChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """Alerts that a channel took together, and when."""

    ids: tuple[int, ...]
    at: datetime
    note: str | None


class Outbox(OutboxView):
    """Alerts by their state. Every method is one transaction. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        """Works on an open database."""
        super().__init__(database.queries)
        self._database = database
        self._unwritten: list[_Taken] = []
        self._writing_down = Lock()

    def due(self, now: datetime, *, channels: Collection[str] | None = None, limit: int = 500) -> list[QueuedAlert]:
        """What is to be sent now, oldest first: queued alerts whose turn has come, held ones whose hold is over."""
        query = (
            select(AlertRow)
            .where(col(AlertRow.state).in_(_WAITING), col(AlertRow.next_attempt_at) <= now)
            .order_by(col(AlertRow.id))
            .limit(limit)
        )
        if unwritten := self._still_unwritten():
            query = query.where(col(AlertRow.id).not_in(unwritten))
        if channels is not None:
            query = query.where(col(AlertRow.channel).in_(channels))
        with self._database.reading() as session:
            return _waiting(session, session.exec(query).all())

    def later(self, waiting: QueuedAlert) -> list[QueuedAlert]:
        """What was written after it for the same channel about the same case (or account), oldest first."""
        query = (
            select(AlertRow)
            .where(
                AlertRow.channel == waiting.alert.channel,
                AlertRow.account == waiting.account,
                col(AlertRow.case_number).is_not_distinct_from(waiting.case_number),
                col(AlertRow.id) > waiting.alert.id,
            )
            .order_by(col(AlertRow.id))
        )
        with self._database.reading() as session:
            return _waiting(session, session.exec(query).all())

    def next_due(self) -> datetime | None:
        """When the next waiting alert wants to be sent; None where none waits."""
        query = select(func.min(AlertRow.next_attempt_at)).where(col(AlertRow.state).in_(_WAITING))
        if unwritten := [alert_id for taken in self._unwritten for alert_id in taken.ids]:
            query = query.where(col(AlertRow.id).not_in(unwritten))
        with self._database.reading() as session:
            return session.exec(query).one()

    def sent_since(self, channel: str, since: datetime) -> int:
        """How many alerts the channel took since then."""
        query = (
            select(func.count())
            .select_from(AlertRow)
            .where(AlertRow.channel == channel, col(AlertRow.sent_at) >= since)
        )
        with self._database.reading() as session:
            return session.exec(query).one()

    def mark_sent(self, alert_ids: Collection[int], now: datetime, *, note: str | None = None) -> None:
        """The channel has taken these.

        Where that cannot be written (a full disk), this object remembers it, so that nobody is told the same thing
        again and again: `due` leaves them out, and writes it down as soon as it can. Raises `StoreUnusable` all the
        same.
        """
        self._unwritten.append(_Taken(ids=tuple(alert_ids), at=now, note=note))
        self._write_down()

    def _write_down(self) -> None:
        """All that is unwritten, in one transaction.

        While one is under way, the channels that wait for it add what they took meanwhile: one more is enough for all.
        """
        with self._writing_down:
            batch = tuple(self._unwritten)  # what is added from here on comes behind it
            if not batch:
                return
            sent = [
                {"alert_id_": alert_id, "sent_at_": taken.at, "note_": taken.note}
                for taken in batch
                for alert_id in taken.ids
            ]
            with self._database.writing_statements() as connection:
                connection.execute(_SENT, sent)
            del self._unwritten[: len(batch)]

    def _still_unwritten(self) -> Sequence[int]:
        """What channels took and the books cannot be made to say, even now."""
        if self._unwritten:
            with suppress(StoreUnusable):  # `mark_sent` has said so
                self._write_down()
        return [alert_id for taken in self._unwritten for alert_id in taken.ids]

    def mark_failed(self, alert_ids: Collection[int], error: str, *, next_attempt_at: datetime | None) -> None:
        """The channel did not take these; `next_attempt_at` None: given up, until someone asks to retry."""
        state = AlertState.FAILED if next_attempt_at is None else AlertState.QUEUED
        with self._database.writing() as session:
            session.exec(
                update(AlertRow)
                .where(col(AlertRow.id).in_(alert_ids))
                .values(
                    state=state.value,
                    hold=None,
                    next_attempt_at=next_attempt_at,
                    attempts=col(AlertRow.attempts) + 1,
                    last_error=error,
                )
            )

    def postpone(self, alert_ids: Collection[int], moment: datetime) -> None:
        """These are not tried before then; that is no attempt."""
        if not alert_ids:
            return
        with self._database.writing() as session:
            session.exec(update(AlertRow).where(col(AlertRow.id).in_(alert_ids)).values(next_attempt_at=moment))

    def drop(self, alert_ids: Collection[int], now: datetime, *, note: str) -> None:
        """These need not go out any more; `note` says why. They count as told."""
        with self._database.writing() as session:
            session.exec(
                update(AlertRow)
                .where(col(AlertRow.id).in_(alert_ids))
                .values(state=AlertState.SENT.value, sent_at=now, next_attempt_at=None, note=note)
            )

    def bring_forward(self, now: datetime) -> None:
        """Alerts planned for later than any wait lasts were planned while the clock was ahead: they are due now."""
        longest = {AlertState.QUEUED: _LONGEST_DELAY, AlertState.HELD: _LONGEST_HOLD}
        with self._database.writing() as session:
            for state, wait in longest.items():
                session.exec(
                    update(AlertRow)
                    .where(col(AlertRow.state) == state.value, col(AlertRow.next_attempt_at) > now + wait)
                    .values(next_attempt_at=now)
                )

    def retry(self, now: datetime, alert_id: int | None = None) -> int:
        """Takes up again now what was given up or waits for its next attempt (all, or this one); returns how many."""
        again = (AlertState.FAILED.value, AlertState.QUEUED.value)
        query = update(AlertRow).where(col(AlertRow.state).in_(again))
        if alert_id is not None:
            query = query.where(col(AlertRow.id) == alert_id)
        with self._database.writing() as session:
            done = session.exec(query.values(state=AlertState.QUEUED.value, hold=None, next_attempt_at=now, attempts=0))
            return done.rowcount

    def acknowledge(self, alert_id: int, now: datetime) -> bool:
        """Somebody has seen this alert: every escalation of the same changes is dropped. False: no such alert."""
        with self._database.writing() as session:
            return acknowledging.of_alert(session, alert_id, now)

    def acknowledge_subject(self, account: str, case_number: str, subject: str, now: datetime) -> None:
        """The user has dealt with this item: nothing about it is escalated any more, no held reminder goes out."""
        with self._database.writing() as session:
            acknowledging.of_subject(session, account, case_number, subject, now)

    def text(self, alert_id: int) -> AlertText | None:
        """The words of one alert."""
        with self._database.reading() as session:
            row = session.get(AlertRow, alert_id)
            return AlertText(title=row.title, body=row.body, html=row.html, short=row.short) if row else None


def _waiting(session: Session, rows: Sequence[AlertRow]) -> list[QueuedAlert]:
    """The rows with the changes they tell of."""
    changes = defaultdict(list)
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        for row in session.connection().execute(_TOLD, {"alerts": ids[start : start + 500]}):
            changes[row.alert_id].append(recorded_change(row))
    return [
        QueuedAlert(
            alert=alert_of(row, tuple(change.id for change in changes[row.id or 0])),
            account=row.account,
            case_number=row.case_number,
            hold_reason=HoldReason(row.hold) if row.hold else None,
            changes=tuple(changes[row.id or 0]),
        )
        for row in rows
    ]
