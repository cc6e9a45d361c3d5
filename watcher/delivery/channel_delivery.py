"""Delivery of the due alerts of one channel.

Urgent alerts go first, also ones that are written while others are sent. Alerts about one case are sent in the order in
which they were written; one that newer ones have made untrue is dropped with a note. A message that the service refuses
does not hold back others for long: another one is tried before the channel counts as down, and then everything waits.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Event

from watcher.alerts.routing import quiet_until
from watcher.delivery.attachments import awaits_letter, by_case, notices_of
from watcher.delivery.message_order import (
    COMBINED_REASONS,
    Message,
    attempts_of,
    following,
    in_order,
    is_urgent,
    ready,
    subjects_of,
)
from watcher.delivery.message_sender import MessageSender, has_failed_long_enough, ids_of, jitter
from watcher.delivery.outdated import SentAlerts, drop_outdated
from watcher.delivery.retry import message_delay, outage_delay
from watcher.delivery.throttle import throttle
from watcher.errors import DeliveryFailed
from watcher.messages import mark
from watcher.model.change import Severity
from watcher.store import QueuedAlert

_HOUR = timedelta(hours=1)
_LETTER_DELAY = timedelta(seconds=5)
_CLAIMED_DELAY = timedelta(seconds=2)
_FAILURES_OF_AN_OUTAGE = 2


class ChannelDelivery:
    """Delivers the due alerts of one channel, whose lock the caller holds."""

    def __init__(self, sender: MessageSender, stop: Event) -> None:
        """Send nothing yet. After `stop` is set, or the sender's lock was lost, no further message is started."""
        self._sender, self._stop = sender, stop
        self._store, self._clock = sender.store, sender.clock
        self._settings, self._channel = sender.settings, sender.channel
        self._sent, self._has_company = SentAlerts([]), False

    def run(self) -> int:
        """Send the due alerts; return how many the channel accepted. Raises `StoreUnusable` and `LockLost`."""
        accepted, is_interrupted = 0, True
        while is_interrupted and not self._stop.is_set():
            due = self._store.outbox.to_send(self._channel.name, self._clock.now())
            newest = max(ids_of(due), default=0)
            number, is_interrupted = self._send_in_order(self._messages(due), newest)
            accepted += number
        return accepted

    def _messages(self, due: Sequence[QueuedAlert]) -> list[Message]:
        """Drop, hold, and postpone alerts; return the messages to send now, most urgent first."""
        now, self._has_company = self._clock.now(), False
        due = self._while_service_rests(due, now)
        claimed = [queued for queued in due if queued.is_claimed]
        due = self._not_before(claimed, [queued for queued in due if not queued.is_claimed], now + _CLAIMED_DELAY)
        due = self._without_awaiting(self._outside_quiet_hours(due, now), now)
        sent = self._store.outbox.sent_after(self._channel.name, min(ids_of(due))) if due else []
        due = drop_outdated(self._store, self._channel.name, due, sent)
        self._sent = SentAlerts(sent)
        messages = _partly_accepted(due) + _combined(due)
        grouped = {alert_id for message in messages for alert_id in ids_of(message)}
        single = {queued.alert.id: queued for queued in due if queued.alert.id not in grouped}
        plan = throttle(
            [queued.alert for queued in single.values()],
            limit=self._channel.max_per_hour,
            sent_last_hour=self._store.outbox.messages_since(self._channel.name, now - _HOUR) + len(messages),
        )
        messages += [[single[alert.id]] for alert in (*plan.urgent, *plan.separate)]
        messages += [[single[alert.id] for alert in plan.combined]] if plan.combined else []
        self._store.outbox.postpone([alert.id for alert in plan.postponed], now + _HOUR / 6)
        return in_order(messages)

    def _while_service_rests(self, due: Sequence[QueuedAlert], now: datetime) -> Sequence[QueuedAlert]:
        """Postpone all alerts while the service has asked for a pause (`Retry-After`)."""
        rests_until = self._store.outbox.service_rests_until(self._channel.name, now)
        if not due or rests_until is None:
            return due
        self._store.outbox.postpone(ids_of(due), rests_until)
        return []

    def _outside_quiet_hours(self, due: Sequence[QueuedAlert], now: datetime) -> Sequence[QueuedAlert]:
        """Hold what became due, or is tried again, within quiet hours."""
        zone = self._settings.timezone
        ends = {queued.alert.id: quiet_until(self._channel, queued.alert.severity, zone, now) for queued in due}
        held = [alert_id for alert_id, end in ends.items() if end is not None]
        for end in {end for end in ends.values() if end is not None}:
            self._store.outbox.hold_until(held, end)
        return [queued for queued in due if ends[queued.alert.id] is None]

    def _without_awaiting(self, due: Sequence[QueuedAlert], now: datetime) -> Sequence[QueuedAlert]:
        """Postpone alerts whose letter is being downloaded, if the channel attaches letters, with those behind them."""
        if not self._channel.attach_notices:
            return due
        notices = by_case(self._store.notices())
        awaiting: list[QueuedAlert] = []
        others: list[QueuedAlert] = []
        for queued in due:
            letters = notices_of([queued], notices.get((queued.account, queued.case_number), ()))
            waits = awaits_letter(queued, letters, self._settings, now, shared=self._store.shared)
            (awaiting if waits else others).append(queued)
        self._store.outbox.postpone(ids_of(awaiting), now + _LETTER_DELAY)
        return self._not_before(awaiting, others, now + _LETTER_DELAY)

    def _not_before(
        self, earlier: Sequence[QueuedAlert], due: Sequence[QueuedAlert], moment: datetime
    ) -> Sequence[QueuedAlert]:
        """Postpone what must not arrive before these earlier alerts about the same case; return the rest."""
        behind = following(due, earlier)
        self._store.outbox.postpone(behind, moment)
        return [queued for queued in due if queued.alert.id not in behind]

    def _send_in_order(self, messages: Sequence[Message], newest: int) -> tuple[int, bool]:
        """Send messages until all are tried or the channel is down.

        Return how many alerts were accepted, and whether to begin anew because the plan is outdated.
        """
        waiting, accepted, failed, blocking = list(messages), 0, list[Message](), list[Message]()
        while not self._stop.is_set():
            message = _next(waiting, blocking, is_probe=bool(failed))
            if message is None:
                break
            waiting.remove(message)
            result = self._send(message)
            if isinstance(result, int):
                accepted, failed = accepted + result, [] if result else failed
            elif not result.accepted_by:  # otherwise the channel works for some targets, which need not wait for others
                failed.append(message)
                blocking += [] if result.refused else [message]
                if self._is_down(result, waiting, failed):
                    return accepted, False
                continue
            if waiting and self._is_outdated(newest):
                self._postpone_behind(blocking, waiting)
                return accepted, True
        self._postpone_behind(blocking, waiting)
        return accepted, False

    def _send(self, message: Message) -> int | DeliveryFailed:
        """Send what is still true of a message and could be claimed: return how many alerts, or why it failed."""
        overtaken = self._sent.overtaking(message)
        dropped = {alert_id: entry.by for alert_id, entry in overtaken.items() if entry.entirely}
        self._store.outbox.drop(dropped, note=mark("a later alert was sent before it"))
        message = [queued for queued in message if queued.alert.id not in dropped]
        claimed = self._sender.claim(message) if message else []
        self._has_company = self._has_company or len(claimed) < len(message)
        message = claimed
        error = self._sender.send(message, late=overtaken.keys()) if message else None
        if error is not None:
            return error
        self._sent.add(message)
        return len(message)

    def _is_outdated(self, newest: int) -> bool:
        """Return whether an urgent alert above `newest` has become due, or another delivery sends alerts, too."""
        if self._has_company:
            return True
        return self._store.outbox.has_urgent(self._channel.name, self._clock.now(), after=newest)

    def _is_down(self, error: DeliveryFailed, waiting: Sequence[Message], failed: Sequence[Message]) -> bool:
        """Return whether to stop because of this failure; if so, give up or postpone what waits."""
        if error.permanent:
            self._sender.record_failure([queued for message in waiting for queued in message], error)
        elif error.retry_after is not None:
            self._while_service_rests([queued for message in waiting for queued in message], self._clock.now())
        elif len(failed) == _FAILURES_OF_AN_OUTAGE:
            self._wait_for_channel(waiting, failed)
        else:
            return False
        return True

    def _postpone_behind(self, blocking: Sequence[Message], waiting: Sequence[Message]) -> None:
        """Postpone what waits for a failed message about the same case until that is tried again."""
        if not blocking:
            return
        subjects = {subject for message in blocking for subject in subjects_of(message)}
        behind = [queued for message in waiting if subjects_of(message) & subjects for queued in message]
        delay = message_delay(max(map(attempts_of, blocking))) * jitter()
        self._store.outbox.postpone(ids_of(behind), self._clock.now() + delay)

    def _wait_for_channel(self, waiting: Sequence[Message], failed: Sequence[Message]) -> None:
        """Postpone all messages because the channel is down; urgent ones that failed keep their own delays."""
        now, outbox = self._clock.now(), self._store.outbox
        duration = now - (outbox.failing_since(self._channel.name) or now)
        retry_at = now + outage_delay(duration) * jitter()
        retried = [
            [queued for queued in message if not has_failed_long_enough(queued, now)]
            for message in failed
            if not is_urgent(message)
        ]
        outbox.postpone([alert_id for message in (*waiting, *retried) for alert_id in ids_of(message)], retry_at)


def _next(waiting: Sequence[Message], blocking: Sequence[Message], *, is_probe: bool) -> Message | None:
    """Return the message to send next. The one that was refused least often shows best whether a channel is down."""
    candidates = ready(waiting, blocking)
    return min(candidates, key=attempts_of, default=None) if is_probe else next(candidates, None)


def _combined(due: Sequence[QueuedAlert]) -> list[Message]:
    """Return a message for each reason to combine alerts."""
    by_reason = (
        [queued for queued in due if _is_combined(queued) and queued.hold_reason is reason]
        for reason in COMBINED_REASONS
    )
    return [batch for batch in by_reason if batch]


def _partly_accepted(due: Sequence[QueuedAlert]) -> list[Message]:
    """Return the messages that some targets of the channel have accepted, each with the alerts that it had."""
    messages: dict[int, list[QueuedAlert]] = defaultdict(list)
    for queued in due:
        if queued.accepted_by:
            messages[queued.alert.covered_by or queued.alert.id].append(queued)
    return list(messages.values())


def _is_combined(queued: QueuedAlert) -> bool:
    """Return whether the alert is sent together with others that are held for the same reason."""
    is_held_together = queued.hold_reason in COMBINED_REASONS and not queued.accepted_by
    return is_held_together and queued.alert.severity is not Severity.URGENT
