"""The outbox: alerts wait here until a channel has delivered them. Their text is already fixed."""

import json
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Update, case, func

from watcher.errors import StoreUnusable
from watcher.model.alert import AlertState, AlertText, HoldReason
from watcher.model.change import RecordedChange
from watcher.store.database.engine import Database
from watcher.store.database.tables import ALERTS
from watcher.store.queries import changes, outbox
from watcher.store.queries.outbox import QueuedAlert, SentAlert
from watcher.store.queries.views import OutboxView
from watcher.store.writes.acknowledging import acknowledge_alert, acknowledge_subject
from watcher.store.writes.alert_statements import DROP, IS_WAITING, MARK_SENT, is_free_for, update_waiting
from watcher.store.writes.claims import CLAIM_TIME, is_abandoned

MAX_DUE = 10_000
"""Alerts that are planned together, so that a portal that rewords many statuses causes one message. A few KB each."""

MAX_REST = timedelta(days=1)
"""The longest time for which a service is left alone because it asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivered:
    """Alerts that a channel delivered in one message, and when."""

    ids: tuple[int, ...]
    at: datetime


class Outbox(OutboxView):
    """Alerts by their state. Every method is one transaction. Safe to share between threads.

    An alert is claimed before it is sent, and only the delivery that claimed it records a failure. What another
    delivery has claimed, sent, or dropped meanwhile cannot be claimed, postponed, or dropped: a list of due alerts may
    be outdated when it is used.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database.queries)
        self._database = database
        self._unsaved: list[_Delivered] = []
        self._saving = Lock()

    def due(self, now: datetime, *, channels: Collection[str] | None = None, limit: int = MAX_DUE) -> list[QueuedAlert]:
        """Return what is to be sent now: queued alerts that are due, and held ones whose hold is over. Urgent first."""
        unsaved = self.save_delivered()
        self._release_abandoned(now, unsaved)
        with self._database.queries() as run:
            return outbox.due(run, now, channels=channels, excluded=unsaved, limit=limit)

    def to_send(self, channel: str, now: datetime) -> list[QueuedAlert]:
        """Return what is due on the channel, with older alerts of the same cases that wait for another attempt."""
        due = self.due(now, channels=[channel])
        with self._database.queries() as run:
            return due + outbox.preceding(run, channel, due, excluded=self._unsaved_ids()) if due else []

    def due_channels(self, now: datetime) -> list[str]:
        """Return the channels that have alerts to be sent now."""
        unsaved = self.save_delivered()
        self._release_abandoned(now, unsaved)
        with self._database.queries() as run:
            return outbox.due_channels(run, now, excluded=unsaved)

    def has_urgent(self, channel: str, now: datetime, *, after: int) -> bool:
        """Return whether an urgent alert with an id above `after` is due on the channel."""
        with self._database.queries() as run:
            return outbox.has_urgent(run, channel, now, after=after)

    def sent_after(self, channel: str, alert_id: int) -> list[SentAlert]:
        """Return the alerts with a higher id that the channel has accepted."""
        with self._database.queries() as run:
            return outbox.sent_after(run, channel, alert_id)

    def changes_after(self, alerts: Iterable[QueuedAlert]) -> dict[int, list[RecordedChange]]:
        """Return the changes that were recorded after each alert about its case (or account), oldest first."""
        alerts, later = list(alerts), dict[int, list[RecordedChange]]()
        oldest: dict[str, dict[str | None, int]] = defaultdict(dict)
        for alert in alerts:
            of_account = oldest[alert.account]
            of_account[alert.case_number] = min(_newest_change(alert), of_account.get(alert.case_number, sys.maxsize))
        with self._database.queries() as run:
            found = {account: changes.after(run, account, newest_ids) for account, newest_ids in oldest.items()}
        for alert in alerts:
            of_case = found[alert.account].get(alert.case_number, ())
            later[alert.alert.id] = [change for change in of_case if change.id > _newest_change(alert)]
        return later

    def next_due(self, *, busy: Collection[str] = ()) -> datetime | None:
        """Return when the next waiting alert of a channel that is not `busy` is due; None if none is waiting."""
        with self._database.queries() as run:
            return outbox.next_due(run, excluded=self._unsaved_ids(), busy=busy)

    def next_needed(self, now: datetime) -> datetime | None:
        """Return when a worker is next needed for a waiting alert, `now` while something delivered is unsaved.

        None if nothing waits. An alert that another process is sending may need one when that process's claim ends.
        """
        if self._unsaved:
            return now
        with self._database.queries() as run:
            return outbox.next_needed(run)

    def service_rests_until(self, channel: str, now: datetime) -> datetime | None:
        """Return until when the channel's service has asked not to be called; None if it may be called now.

        A moment more than `MAX_REST` ahead comes from a clock that was wrong, and does not count.
        """
        with self._database.queries() as run:
            return outbox.service_rests_until(run, channel, now, latest=now + MAX_REST)

    def messages_since(self, channel: str, since: datetime) -> int:
        """Return how many messages the channel has accepted since then. Several alerts in one message count once."""
        with self._database.queries() as run:
            return outbox.messages_since(run, channel, since)

    def last_accepted_at(self, channel: str) -> datetime | None:
        """Return when the channel last accepted a message; None if it never did."""
        with self._database.queries() as run:
            return outbox.last_accepted_at(run, channel)

    def failing_since(self, channel: str) -> datetime | None:
        """Return the first failed attempt since the channel last accepted a message; None if none has failed since."""
        with self._database.queries() as run:
            return outbox.failing_since(run, channel)

    def texts(self, alert_ids: Collection[int]) -> dict[int, AlertText]:
        """Return the texts of these alerts, by id."""
        with self._database.queries() as run:
            return outbox.alert_texts(run, alert_ids)

    def claim(self, alert_ids: Collection[int], claimant: str, now: datetime) -> list[int]:
        """Claim alerts for a delivery (see `watcher.store.writes.claims`); return those that nobody else has taken.

        Only they may be sent. The claim ends when they are marked as sent or failed, or with the delivery.
        """
        statement = (
            ALERTS.update()
            .where(ALERTS.c.id.in_(alert_ids), IS_WAITING, is_free_for(claimant))
            .values(claimed_by=claimant, claimed_until=now + CLAIM_TIME)
            .returning(ALERTS.c.id)
        )
        with self._database.writing() as connection:
            return sorted(connection.execute(statement).scalars())

    def set_link(self, alert_id: int, digest: bytes) -> None:
        """Record the digest of the token in an alert's link to the page."""
        self._update(ALERTS.update().where(ALERTS.c.id == alert_id), link_digest=digest)

    def _release_abandoned(self, now: datetime, unsaved: Collection[int]) -> None:
        """End the claims of deliveries that are over. What they delivered without saving it is kept."""
        with self._database.queries() as run:
            claims = outbox.claims(run)
        abandoned = {claim.claimed_by for claim in claims if is_abandoned(claim.claimed_by, claim.claimed_until, now)}
        if abandoned:
            ended = ALERTS.update().where(ALERTS.c.claimed_by.in_(abandoned), ALERTS.c.id.not_in(unsaved))
            self._update(ended, claimed_by=None, claimed_until=None)

    def mark_sent(self, alert_ids: Collection[int], now: datetime) -> None:
        """Record that the channel has delivered these alerts in one message.

        If that cannot be written (a full disk), raises `StoreUnusable`, but this object remembers it, so that the same
        alerts are not sent again and again: `due` leaves them out, and writes it as soon as possible.
        """
        self._unsaved.append(_Delivered(ids=tuple(alert_ids), at=now))
        self._save()

    def _save(self) -> None:
        """Write all that is unsaved in one transaction.

        Channels that wait for the current transaction add their alerts meanwhile: one more is enough for all of them.
        """
        with self._saving:
            batch = tuple(self._unsaved)  # other threads may append during the transaction
            if not batch:
                return
            sent = [
                {"alert_id_": alert_id, "sent_at_": delivered.at, "covered_by_": delivered.ids[0] if index else None}
                for delivered in batch
                for index, alert_id in enumerate(delivered.ids)
            ]
            with self._database.writing() as connection:
                connection.execute(MARK_SENT, sent)
            del self._unsaved[: len(batch)]

    def save_delivered(self) -> Sequence[int]:
        """Write what was delivered as sent, and return the alerts for which that is still not possible."""
        if self._unsaved:
            with suppress(StoreUnusable):  # `mark_sent` has raised it already
                self._save()
        return self._unsaved_ids()

    def _unsaved_ids(self) -> Sequence[int]:
        return [alert_id for delivered in self._unsaved for alert_id in delivered.ids]

    def mark_failed(
        self,
        alert_ids: Collection[int],
        error: str,
        *,
        now: datetime,
        next_attempt_at: datetime | None,
        claimant: str | None = None,
        accepted_by: Collection[str] = (),
        service_rests_until: datetime | None = None,
    ) -> None:
        """Record that the channel did not accept these; without `next_attempt_at` only a retry by the user sends them.

        They keep the reason for which they were held: a digest is tried again as a digest. Their claim ends. What some
        targets have accepted (`accepted_by`) remains one message.
        """
        first = min(alert_ids, default=0)
        partly = {
            "accepted_by": json.dumps(sorted(accepted_by)),
            "covered_by": case((ALERTS.c.id == first, None), else_=first),
        }
        self._update(
            ALERTS.update().where(ALERTS.c.id.in_(alert_ids), IS_WAITING, is_free_for(claimant)),
            state=(AlertState.FAILED if next_attempt_at is None else AlertState.QUEUED).value,
            next_attempt_at=next_attempt_at,
            attempts=ALERTS.c.attempts + 1,
            first_attempt_at=func.coalesce(ALERTS.c.first_attempt_at, now),
            last_error=error,
            claimed_by=None,
            claimed_until=None,
            service_rests_until=service_rests_until,
            **(partly if accepted_by else {}),
        )

    def mark_undeliverable(self, alert_ids: Collection[int], error: str) -> None:
        """Record that these were given up without an attempt; only a retry by the user sends them."""
        self._update(update_waiting(alert_ids), state=AlertState.FAILED.value, next_attempt_at=None, last_error=error)

    def postpone(self, alert_ids: Collection[int], moment: datetime) -> None:
        """Do not send these before then; this does not count as an attempt."""
        if alert_ids:
            self._update(update_waiting(alert_ids), next_attempt_at=moment)

    def hold_until(self, alert_ids: Collection[int], moment: datetime) -> None:
        """Hold these until quiet hours end; one that was held for another reason keeps it."""
        if alert_ids:
            self._update(
                update_waiting(alert_ids),
                state=AlertState.HELD.value,
                hold_reason=func.coalesce(ALERTS.c.hold_reason, HoldReason.QUIET.value),
                next_attempt_at=moment,
            )

    def drop(self, covered_by: Mapping[int, int | None], *, note: str) -> None:
        """Mark alerts as dropped; `note` says why, and `covered_by` which alert made each of them untrue, if any."""
        rows = [
            {"alert_id_": alert_id, "covered_by_": covering, "note_": note} for alert_id, covering in covered_by.items()
        ]
        if rows:
            with self._database.writing() as connection:
                connection.execute(DROP, rows)

    def retry(self, now: datetime, alert_id: int | None = None) -> int:
        """Make failed alerts, and those waiting for another attempt, due now (all, or this one); return how many."""
        update = ALERTS.update().where(ALERTS.c.state.in_((AlertState.FAILED.value, AlertState.QUEUED.value)))
        if alert_id is not None:
            update = update.where(ALERTS.c.id == alert_id)
        return self._update(
            update,
            state=AlertState.QUEUED.value,
            next_attempt_at=now,
            attempts=0,
            first_attempt_at=None,
            service_rests_until=None,
        )

    def _update(self, update: Update, **values: Any) -> int:
        with self._database.writing() as connection:
            return connection.execute(update.values(**values)).rowcount

    def acknowledge(self, alert_id: int, now: datetime) -> bool:
        """Acknowledge an alert: every escalation of the same changes is dropped. Return False for an unknown alert."""
        with self._database.writing() as connection:
            return acknowledge_alert(connection, alert_id, now)

    def acknowledge_subject(self, account: str, case_number: str, subject: str, now: datetime) -> None:
        """Acknowledge the alerts about an item that is done: its escalations and held reminders are dropped."""
        with self._database.writing() as connection:
            acknowledge_subject(connection, account, case_number, subject, now)


def _newest_change(alert: QueuedAlert) -> int:
    return max((change.id for change in alert.changes), default=0)
