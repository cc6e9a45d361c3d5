"""The outbox worker: sends due alerts from the outbox until their channels accept them.

An alert is marked as sent after the channel accepted it, never before. A kill in between may send it twice, but no
alert is lost. Each channel has its own thread while alerts are due, so one that hangs does not delay the others. One
worker at a time uses a database, whatever process it is in.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread

import structlog

from watcher.alerts.digest import render_batch, render_digest
from watcher.clock import Clock
from watcher.delivery.apprise_notifier import Notifier
from watcher.delivery.attachments import (
    Attachments,
    awaits_letter,
    notices_of,
    select_attachments,
    with_missing_letter_note,
)
from watcher.delivery.superseded import ChangeFact, HeldAlert, fact_of, superseded
from watcher.delivery.throttle import throttle
from watcher.errors import DeliveryFailed
from watcher.model.alert import AlertText, HoldReason
from watcher.settings import ChannelSettings, Settings
from watcher.store import Busy, QueuedAlert, Store

_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900, 1800, 3600, 7200))
_GIVE_UP_AFTER = timedelta(days=7)
_HOUR = timedelta(hours=1)
_COMBINED_REASONS = (HoldReason.DIGEST, HoldReason.MAYBE_SENT)
_LETTER_DELAY = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


class OutboxWorker:
    """Delivers due alerts. Threads and processes may call it at the same time; only one of them does the work."""

    def __init__(
        self, store: Store, notifier: Notifier, clock: Clock, *, settings: Settings, stop: Event | None = None
    ) -> None:
        """Create a worker without sending anything. After `stop` is set, no further message is started."""
        self._store, self._notifier, self._clock = store, notifier, clock
        self._channels: Mapping[str, ChannelSettings] = settings.channels
        self._settings = settings
        self._stop = stop or Event()
        self._random = random.SystemRandom()

    def deliver_due(self, *, wait: float = 0.0) -> int:
        """Send all due alerts; return how many the channels accepted.

        `wait`: seconds (monotonic) to wait for another worker to finish; if it does not, return 0. Raises
        `StoreUnusable` after all channels were tried. An alert that was accepted is not sent again even if that could
        not be stored.
        """
        try:
            with self._store.locks.acquire("delivery", wait=wait, stop=self._stop):
                return self._deliver_all()
        except Busy:
            return 0

    def _deliver_all(self) -> int:
        by_channel: dict[str, list[QueuedAlert]] = defaultdict(list)
        for queued in self._store.outbox.due(self._clock.now()):
            by_channel[queued.alert.channel].append(queued)
        counts: list[int] = []
        errors: list[Exception] = []
        threads = [
            Thread(target=self._run, args=(name, due, counts, errors), name=f"delivery to {name}", daemon=True)
            for name, due in by_channel.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and not self._stop.is_set():
                thread.join(0.2)
        if errors:
            raise errors[0]
        return sum(counts)

    def _run(self, name: str, due: Sequence[QueuedAlert], counts: list[int], errors: list[Exception]) -> None:
        try:
            counts.append(self._deliver(name, due))
        except Exception as error:  # noqa: BLE001 - raised again in the calling thread
            errors.append(error)

    def _deliver(self, name: str, due: Sequence[QueuedAlert]) -> int:
        """Deliver the alerts of one channel, oldest first; return how many it accepted."""
        now = self._clock.now()
        channel = self._channels.get(name)
        if channel is None:
            reason = f"there is no channel {name} in the configuration any more"
            self._store.outbox.mark_failed(_ids(due), reason, next_attempt_at=None)
            return 0
        due = self._without_awaiting(channel, self._without_superseded(channel, due, now), now)
        by_reason = ([queued for queued in due if queued.hold_reason is reason] for reason in _COMBINED_REASONS)
        batches = [batch for batch in by_reason if batch]
        single = {queued.alert.id: queued for queued in due if queued.hold_reason not in _COMBINED_REASONS}
        plan = throttle(
            [queued.alert for queued in single.values()],
            limit=channel.max_per_hour,
            sent_last_hour=self._store.outbox.sent_since(name, now - _HOUR),
        )
        batches += [[single[alert.id]] for alert in plan.separate]
        batches += [[single[alert.id] for alert in plan.combined]] if plan.combined else []
        if plan.postponed:
            self._store.outbox.postpone([alert.id for alert in plan.postponed], now + _HOUR / 6)
        return self._send_in_order(channel, batches)

    def _send_in_order(self, channel: ChannelSettings, batches: Sequence[Sequence[QueuedAlert]]) -> int:
        """Send batches until one fails, then postpone the rest: a channel that fails is not tried for each of them."""
        accepted = 0
        for index, batch in enumerate(batches):
            if self._stop.is_set():
                break
            retry_at = self._send(channel, batch)
            if retry_at is None:
                accepted += len(batch)
            else:
                rest = [alert_id for later in batches[index + 1 :] for alert_id in _ids(later)]
                self._store.outbox.postpone(rest, retry_at)
                break
        return accepted

    def _send(self, channel: ChannelSettings, batch: Sequence[QueuedAlert]) -> datetime | None:
        """Send one message. Return None, or after a failure when to try the channel again."""
        try:
            self._notify(channel, batch)
        except DeliveryFailed as error:
            return self._record_failure(channel, batch, error)
        self._store.outbox.mark_sent(_ids(batch), self._clock.now(), note=_note(batch))
        _log.info("alert_sent", channel=channel.name, alerts=_ids(batch))
        return None

    def _notify(self, channel: ChannelSettings, batch: Sequence[QueuedAlert]) -> None:
        text, attachments = self._text(batch), self._attachments(channel, batch)
        if attachments.has_missing:
            text = with_missing_letter_note(text, language=self._settings.language)
        self._notifier.send(
            channel.url,
            title=text.title,
            body=text.body,
            html=text.html,
            short=text.short,
            attachments=attachments.files,
        )

    def _record_failure(
        self, channel: ChannelSettings, batch: Sequence[QueuedAlert], error: DeliveryFailed
    ) -> datetime | None:
        """Schedule a retry, or give up: at once after a permanent error, else after a week of attempts.

        A minimum number of attempts is required too, because the computer may have slept through that week, and its
        network may need a moment after it wakes.
        """
        now = self._clock.now()
        oldest = min(queued.alert.created_at for queued in batch)
        attempts = max(queued.alert.attempts for queued in batch)
        delay = _DELAYS[min(attempts, len(_DELAYS) - 1)] * self._random.uniform(1, 1.2)
        is_exhausted = now - oldest > _GIVE_UP_AFTER and attempts >= len(_DELAYS)
        retry_at = None if error.permanent or is_exhausted else now + delay
        self._store.outbox.mark_failed(_ids(batch), str(error), next_attempt_at=retry_at)
        _log.warning(
            "alert_not_sent", channel=channel.name, alerts=_ids(batch), reason=str(error), given_up=retry_at is None
        )
        return retry_at or now + _DELAYS[0]

    def _text(self, batch: Sequence[QueuedAlert]) -> AlertText:
        """Return the text of the alert, of a digest, or of a batch that lists and counts alerts."""
        texts = [_text_of(queued) for queued in batch]
        if batch[0].hold_reason in _COMBINED_REASONS:
            return render_digest(texts, language=self._settings.language)
        return texts[0] if len(texts) == 1 else render_batch(texts, language=self._settings.language)

    def _without_superseded(
        self, channel: ChannelSettings, due: Sequence[QueuedAlert], now: datetime
    ) -> Sequence[QueuedAlert]:
        """Drop held alerts that a later one on the same channel replaces, with a note in the outbox.

        The later one may have been sent already: an urgent one does not wait for the digest.
        """
        stale = {queued.alert.id for queued in due if queued.hold_reason is not None and self._is_superseded(queued)}
        if stale:
            self._store.outbox.drop(stale, now, note="a later alert replaced it before it was sent")
            _log.info("held_alerts_superseded", channel=channel.name, alerts=sorted(stale))
        return [queued for queued in due if queued.alert.id not in stale]

    def _is_superseded(self, queued: QueuedAlert) -> bool:
        held = HeldAlert(id=queued.alert.id, hold_reason=queued.hold_reason or HoldReason.QUIET, facts=_facts(queued))
        return any(superseded([held], _facts(later)) for later in self._store.outbox.later(queued))

    def _without_awaiting(
        self, channel: ChannelSettings, due: Sequence[QueuedAlert], now: datetime
    ) -> Sequence[QueuedAlert]:
        """Postpone alerts whose letter is being downloaded, if the channel attaches letters."""
        if not channel.attach_notices:
            return due
        notices = self._store.notices()
        awaiting = {
            queued.alert.id
            for queued in due
            if awaits_letter(queued, notices_of([queued], notices), self._settings, now)
        }
        self._store.outbox.postpone(awaiting, now + _LETTER_DELAY)
        return [queued for queued in due if queued.alert.id not in awaiting]

    def _attachments(self, channel: ChannelSettings, batch: Sequence[QueuedAlert]) -> Attachments:
        """Return the saved letters that the message is about, if the channel attaches letters."""
        if not channel.attach_notices:
            return Attachments()
        letters = notices_of(batch, self._store.notices())
        return select_attachments(
            letters,
            channel,
            self._settings.state_dir,
            can_attach=bool(letters) and self._notifier.can_attach(channel.url),
            attempts=max(queued.alert.attempts for queued in batch),
        )


def _ids(batch: Sequence[QueuedAlert]) -> list[int]:
    return [queued.alert.id for queued in batch]


def _text_of(queued: QueuedAlert) -> AlertText:
    alert = queued.alert
    return AlertText(title=alert.title, body=alert.body, html=alert.html, short=alert.short)


def _note(batch: Sequence[QueuedAlert]) -> str | None:
    return None if len(batch) == 1 else f"sent as one message with {len(batch) - 1} more"


def _facts(queued: QueuedAlert) -> tuple[ChangeFact, ...]:
    return tuple(fact_of(queued.account, change.change) for change in queued.changes)
