"""Delivery of the due alerts of one channel.

Urgent alerts go first, also ones that are written while others are sent. A message that the service refuses does not
hold back others: another one is tried before the channel counts as down, and then everything waits.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Event

import structlog

from watcher.alerts.digest import render_batch, render_digest
from watcher.alerts.routing import quiet_until
from watcher.clock import Clock
from watcher.delivery.apprise_notifier import Notifier
from watcher.delivery.attachments import (
    Attachments,
    awaits_letter,
    notices_of,
    select_attachments,
    with_missing_letter_note,
)
from watcher.delivery.outdated import drop_outdated
from watcher.delivery.retry import is_exhausted, message_delay, outage_delay
from watcher.delivery.throttle import throttle
from watcher.errors import DeliveryFailed
from watcher.model.alert import AlertText, HoldReason
from watcher.model.change import Severity
from watcher.settings import ChannelSettings, Settings
from watcher.store import HeldLock, QueuedAlert, Store, claimant

_HOUR = timedelta(hours=1)
_COMBINED_REASONS = (HoldReason.DIGEST, HoldReason.MAYBE_SENT)
_LETTER_DELAY = timedelta(seconds=5)
_FAILURES_OF_AN_OUTAGE = 2
_log = structlog.get_logger(__name__)

_Message = Sequence[QueuedAlert]
"""Alerts that are sent as one message."""


class ChannelDelivery:
    """Delivers the due alerts of one channel, whose lock the caller holds."""

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        clock: Clock,
        settings: Settings,
        channel: ChannelSettings,
        stop: Event,
        *,
        held: HeldLock,
    ) -> None:
        """Send nothing yet. After `stop` is set, or the lock `held` was lost, no further message is started."""
        self._store, self._notifier, self._clock = store, notifier, clock
        self._settings, self._channel, self._stop, self._held = settings, channel, stop, held
        self._random = random.SystemRandom()
        self._claimant = ""

    def run(self) -> int:
        """Send the due alerts; return how many the channel accepted. Raises `StoreUnusable` and `LockLost`."""
        accepted, is_interrupted = 0, True
        with claimant() as self._claimant:
            while is_interrupted and not self._stop.is_set():
                due = self._store.outbox.due(self._clock.now(), channels=[self._channel.name])
                newest = max(_ids(due), default=0)
                number, is_interrupted = self._send_in_order(self._messages(due), newest)
                accepted += number
        return accepted

    def _messages(self, due: Sequence[QueuedAlert]) -> list[_Message]:
        """Drop, hold, and postpone alerts; return the messages to send now, most urgent first."""
        now = self._clock.now()
        due = [queued for queued in due if not queued.is_claimed]
        due = self._without_awaiting(self._outside_quiet_hours(due, now), now)
        due = drop_outdated(self._store, self._channel.name, due)
        combined = [queued for queued in due if _is_combined(queued)]
        by_reason = ([queued for queued in combined if queued.hold_reason is reason] for reason in _COMBINED_REASONS)
        messages: list[_Message] = [batch for batch in by_reason if batch]
        single = {queued.alert.id: queued for queued in due if queued not in combined}
        plan = throttle(
            [queued.alert for queued in single.values()],
            limit=self._channel.max_per_hour,
            sent_last_hour=self._store.outbox.messages_since(self._channel.name, now - _HOUR) + len(messages),
        )
        messages += [[single[alert.id]] for alert in (*plan.urgent, *plan.separate)]
        messages += [[single[alert.id] for alert in plan.combined]] if plan.combined else []
        self._store.outbox.postpone([alert.id for alert in plan.postponed], now + _HOUR / 6)
        return sorted(messages, key=lambda message: (not _is_urgent(message), _attempts(message)))

    def _outside_quiet_hours(self, due: Sequence[QueuedAlert], now: datetime) -> Sequence[QueuedAlert]:
        """Hold what became due, or is tried again, within quiet hours."""
        zone = self._settings.timezone
        ends = {queued.alert.id: quiet_until(self._channel, queued.alert.severity, zone, now) for queued in due}
        held = [alert_id for alert_id, end in ends.items() if end is not None]
        for end in {end for end in ends.values() if end is not None}:
            self._store.outbox.hold_until(held, end)
        return [queued for queued in due if ends[queued.alert.id] is None]

    def _send_in_order(self, messages: Sequence[_Message], newest: int) -> tuple[int, bool]:
        """Send messages until all are tried or the channel is down.

        Return how many alerts were accepted, and whether to begin anew because an urgent alert with an id above
        `newest` has become due.
        """
        waiting, accepted, failed = list(messages), 0, list[_Message]()
        while waiting and not self._stop.is_set():
            # After a failure, a message that was refused least often shows best whether the channel is down.
            message = min(waiting, key=_attempts) if failed else waiting[0]
            waiting.remove(message)
            message = self._claim(message)
            error = self._send(message) if message else None
            if error is None:
                accepted, failed = accepted + len(message), []
                if waiting and self._store.outbox.has_urgent(self._channel.name, self._clock.now(), after=newest):
                    return accepted, True
                continue
            failed.append(message)
            if error.permanent:
                self._record_failure([queued for message in waiting for queued in message], error)
                break
            if len(failed) == _FAILURES_OF_AN_OUTAGE:
                self._wait_for_channel(waiting, failed)
                break
        return accepted, False

    def _claim(self, message: _Message) -> _Message:
        """Return the alerts of the message that still are to be sent, and that no other delivery is sending.

        Raises `LockLost` if another delivery may have begun.
        """
        self._held.verify()
        claimed = set(self._store.outbox.claim(_ids(message), self._claimant, self._clock.now()))
        return [queued for queued in message if queued.alert.id in claimed]

    def _send(self, message: _Message) -> DeliveryFailed | None:
        """Send one message. Return why it was not accepted, or None."""
        try:
            self._notify(message)
        except DeliveryFailed as error:
            self._record_failure(message, error)
            return error
        self._store.outbox.mark_sent(_ids(message), self._clock.now())
        _log.info("alert_sent", channel=self._channel.name, alerts=_ids(message))
        return None

    def _notify(self, message: _Message) -> None:
        text, attachments = self._text(message), self._attachments(message)
        if attachments.has_missing:
            text = with_missing_letter_note(text, language=self._settings.language)
        self._notifier.send(
            self._channel.url,
            title=text.title,
            body=text.body,
            html=text.html,
            short=text.short,
            attachments=attachments.files,
        )

    def _record_failure(self, message: _Message, error: DeliveryFailed) -> None:
        """Schedule another attempt, or give up: at once after a permanent error, else after a week of attempts."""
        if not message:
            return
        now, name = self._clock.now(), self._channel.name
        given_up = [queued for queued in message if error.permanent or _is_exhausted(queued, now)]
        retried = [queued for queued in message if queued not in given_up]
        retry_at = now + message_delay(_attempts(message)) * self._jitter()
        for alerts, next_attempt_at in ((given_up, None), (retried, retry_at)):
            if alerts:
                self._store.outbox.mark_failed(
                    _ids(alerts),
                    str(error),
                    now=now,
                    next_attempt_at=next_attempt_at,
                    claimant=self._claimant,
                )
                given_up_now = next_attempt_at is None
                _log.warning(
                    "alert_not_sent", channel=name, alerts=_ids(alerts), reason=str(error), given_up=given_up_now
                )

    def _wait_for_channel(self, waiting: Sequence[_Message], failed: Sequence[_Message]) -> None:
        """Postpone all messages because the channel is down; urgent ones that failed keep their own delays."""
        now, outbox = self._clock.now(), self._store.outbox
        duration = now - (outbox.failing_since(self._channel.name) or now)
        retry_at = now + outage_delay(duration) * self._jitter()
        retried = [
            [queued for queued in message if not _is_exhausted(queued, now)]
            for message in failed
            if not _is_urgent(message)
        ]
        outbox.postpone([alert_id for message in (*waiting, *retried) for alert_id in _ids(message)], retry_at)

    def _jitter(self) -> float:
        return self._random.uniform(1, 1.2)

    def _text(self, message: _Message) -> AlertText:
        """Return the text of the alert, of a digest, or of a batch that lists and counts alerts."""
        texts = [_text_of(queued) for queued in message]
        if message[0].hold_reason in _COMBINED_REASONS:
            return render_digest(texts, language=self._settings.language)
        return texts[0] if len(texts) == 1 else render_batch(texts, language=self._settings.language)

    def _without_awaiting(self, due: Sequence[QueuedAlert], now: datetime) -> Sequence[QueuedAlert]:
        """Postpone alerts whose letter is being downloaded, if the channel attaches letters."""
        if not self._channel.attach_notices:
            return due
        notices = self._store.notices()
        awaiting = {
            queued.alert.id
            for queued in due
            if awaits_letter(queued, notices_of([queued], notices), self._settings, now, shared=self._store.shared)
        }
        self._store.outbox.postpone(awaiting, now + _LETTER_DELAY)
        return [queued for queued in due if queued.alert.id not in awaiting]

    def _attachments(self, message: _Message) -> Attachments:
        """Return the saved letters that the message is about, if the channel attaches letters."""
        if not self._channel.attach_notices:
            return Attachments()
        letters = notices_of(message, self._store.notices())
        return select_attachments(
            letters,
            self._channel,
            self._settings.state_dir,
            can_attach=bool(letters) and self._notifier.can_attach(self._channel.url),
            attempts=_attempts(message),
        )


def _ids(message: _Message) -> list[int]:
    return [queued.alert.id for queued in message]


def _attempts(message: _Message) -> int:
    return max(queued.alert.attempts for queued in message)


def _is_urgent(message: _Message) -> bool:
    return any(queued.alert.severity is Severity.URGENT for queued in message)


def _is_exhausted(queued: QueuedAlert, now: datetime) -> bool:
    return is_exhausted(queued.alert.first_attempt_at, queued.alert.attempts, now)


def _is_combined(queued: QueuedAlert) -> bool:
    """Return whether the alert is sent together with others that are held for the same reason."""
    return queued.hold_reason in _COMBINED_REASONS and queued.alert.severity is not Severity.URGENT


def _text_of(queued: QueuedAlert) -> AlertText:
    alert = queued.alert
    return AlertText(title=alert.title, body=alert.body, html=alert.html, short=alert.short)
