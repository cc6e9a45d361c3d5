"""The courier: takes from the outbox what is due and brings it to the channels, until each has taken it.

An alert is marked as sent after the channel took it, never before; so a kill in between may send one a second time,
and nothing is ever lost. Each channel has a thread of its own while there is work, so that a hung one holds back no
other. One courier at a time works on a database, in whatever process.
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
_GATHERED = (HoldReason.DIGEST, HoldReason.MAYBE_SENT)
_FOR_A_LETTER = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


class OutboxWorker:
    """Delivers what is due. Safe to call from several threads and processes: all but one find nothing to do."""

    def __init__(
        self, store: Store, notifier: Notifier, clock: Clock, *, settings: Settings, stop: Event | None = None
    ) -> None:
        """Sends nothing yet. With `stop` set, it stops after the message under way."""
        self._store, self._notifier, self._clock = store, notifier, clock
        self._channels: Mapping[str, ChannelSettings] = settings.channels
        self._settings = settings
        self._stop = stop or Event()
        self._random = random.SystemRandom()

    def deliver_due(self, *, wait: float = 0.0) -> int:
        """Brings everything that is due to its channels; returns how many alerts were taken.

        `wait`: real seconds to wait for another courier to finish; else there is nothing to do here. Raises
        `StoreUnusable`, after every channel has had its turn: what one of them took is not sent to it again, even
        where that could not be written down.
        """
        try:
            with self._store.locks.acquire("delivery", wait=wait, stop=self._stop):
                return self._deliver_all()
        except Busy:
            return 0

    def _deliver_all(self) -> int:
        by_channel: dict[str, list[QueuedAlert]] = defaultdict(list)
        for waiting in self._store.outbox.due(self._clock.now()):
            by_channel[waiting.alert.channel].append(waiting)
        taken: list[int] = []
        trouble: list[Exception] = []
        threads = [
            Thread(target=self._work, args=(name, due, taken, trouble), name=f"delivery to {name}", daemon=True)
            for name, due in by_channel.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and not self._stop.is_set():
                thread.join(0.2)
        if trouble:
            raise trouble[0]
        return sum(taken)

    def _work(self, name: str, due: Sequence[QueuedAlert], taken: list[int], trouble: list[Exception]) -> None:
        try:
            taken.append(self._deliver(name, due))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that delivers
            trouble.append(error)

    def _deliver(self, name: str, due: Sequence[QueuedAlert]) -> int:
        """The alerts of one channel, oldest first; returns how many it took."""
        now = self._clock.now()
        channel = self._channels.get(name)
        if channel is None:
            reason = f"there is no channel {name} in the configuration any more"
            self._store.outbox.mark_failed(_ids(due), reason, next_attempt_at=None)
            return 0
        due = self._without_awaiting(channel, self._without_outdated(channel, due, now), now)
        single = [each for each in due if each.hold_reason not in _GATHERED]
        gathered = ([each for each in due if each.hold_reason is hold] for hold in _GATHERED)
        batches = [batch for batch in gathered if batch]
        plan = throttle(
            [each.alert for each in single],
            limit=channel.max_per_hour,
            sent_last_hour=self._store.outbox.sent_since(name, now - _HOUR),
        )
        waiting = {each.alert.id: each for each in single}
        batches += [[waiting[alert.id]] for alert in plan.separate]
        batches += [[waiting[alert.id] for alert in plan.combined]] if plan.combined else []
        if plan.postponed:
            self._store.outbox.postpone([alert.id for alert in plan.postponed], now + _HOUR / 6)
        return self._send_in_turn(channel, batches)

    def _send_in_turn(self, channel: ChannelSettings, batches: Sequence[Sequence[QueuedAlert]]) -> int:
        """After a failure the rest waits with it: a channel that is down is not asked for each alert anew."""
        taken = 0
        for place, batch in enumerate(batches):
            if self._stop.is_set():
                break
            retry_at = self._send(channel, batch)
            if retry_at is None:
                taken += len(batch)
            else:
                rest = [alert_id for later in batches[place + 1 :] for alert_id in _ids(later)]
                self._store.outbox.postpone(rest, retry_at)
                break
        return taken

    def _send(self, channel: ChannelSettings, batch: Sequence[QueuedAlert]) -> datetime | None:
        """Sends one message. Returns None, or when the channel is to be asked again."""
        try:
            self._bring(channel, batch)
        except DeliveryFailed as error:
            return self._failed(channel, batch, error)
        self._store.outbox.mark_sent(_ids(batch), self._clock.now(), note=_note(batch))
        _log.info("alert sent", channel=channel.name, alerts=_ids(batch))
        return None

    def _bring(self, channel: ChannelSettings, batch: Sequence[QueuedAlert]) -> None:
        words, along = self._words(batch), self._attachments(channel, batch)
        if along.has_missing:
            words = with_missing_letter_note(words, language=self._settings.language)
        self._notifier.send(
            channel.url,
            title=words.title,
            body=words.body,
            html=words.html,
            short=words.short,
            attachments=along.files,
        )

    def _failed(self, channel: ChannelSettings, batch: Sequence[QueuedAlert], error: DeliveryFailed) -> datetime | None:
        """Backs off, or gives up: at once where it cannot help to try again, else after a week of trying.

        A machine that slept through that week has not tried, and its network may need a moment after it wakes.
        """
        now = self._clock.now()
        oldest = min(each.alert.created_at for each in batch)
        attempts = max(each.alert.attempts for each in batch)
        delay = _DELAYS[min(attempts, len(_DELAYS) - 1)] * self._random.uniform(1, 1.2)
        tried_enough = now - oldest > _GIVE_UP_AFTER and attempts >= len(_DELAYS)
        retry_at = None if error.permanent or tried_enough else now + delay
        self._store.outbox.mark_failed(_ids(batch), str(error), next_attempt_at=retry_at)
        _log.warning(
            "alert not taken", channel=channel.name, alerts=_ids(batch), reason=str(error), given_up=retry_at is None
        )
        return retry_at or now + _DELAYS[0]

    def _words(self, batch: Sequence[QueuedAlert]) -> AlertText:
        """One alert says what it says; several say it as a digest, or as one that lists and counts."""
        words = [_words_of(each) for each in batch]
        if batch[0].hold_reason in _GATHERED:
            return render_digest(words, language=self._settings.language)
        return words[0] if len(words) == 1 else render_batch(words, language=self._settings.language)

    def _without_outdated(
        self, channel: ChannelSettings, due: Sequence[QueuedAlert], now: datetime
    ) -> Sequence[QueuedAlert]:
        """Held alerts that a later one on the same channel has made untrue are dropped, and say so.

        It counts whether that one waits or has gone out already: an urgent one does not wait for the digest.
        """
        stale = {each.alert.id for each in due if each.hold_reason is not None and self._is_outdated(each)}
        if stale:
            self._store.outbox.drop(stale, now, note="a later alert replaced it before it was sent")
            _log.info("held alerts came untrue", channel=channel.name, alerts=sorted(stale))
        return [each for each in due if each.alert.id not in stale]

    def _is_outdated(self, waiting: QueuedAlert) -> bool:
        held = HeldAlert(
            id=waiting.alert.id, hold_reason=waiting.hold_reason or HoldReason.QUIET, facts=_facts(waiting)
        )
        return any(superseded([held], _facts(later)) for later in self._store.outbox.later(waiting))

    def _without_awaiting(
        self, channel: ChannelSettings, due: Sequence[QueuedAlert], now: datetime
    ) -> Sequence[QueuedAlert]:
        """Alerts whose letter is just being downloaded are put off for a moment, where the channel wants letters."""
        if not channel.attach_notices:
            return due
        notices = self._store.notices()
        awaiting = {
            each.alert.id for each in due if awaits_letter(each, notices_of([each], notices), self._settings, now)
        }
        self._store.outbox.postpone(awaiting, now + _FOR_A_LETTER)
        return [each for each in due if each.alert.id not in awaiting]

    def _attachments(self, channel: ChannelSettings, batch: Sequence[QueuedAlert]) -> Attachments:
        """The letters that the message is about, where the channel wants them and they have been saved."""
        if not channel.attach_notices:
            return Attachments()
        letters = notices_of(batch, self._store.notices())
        return select_attachments(
            letters,
            channel,
            self._settings.state_dir,
            can_attach=bool(letters) and self._notifier.can_attach(channel.url),
            attempts=max(each.alert.attempts for each in batch),
        )


def _ids(batch: Sequence[QueuedAlert]) -> list[int]:
    return [each.alert.id for each in batch]


def _words_of(waiting: QueuedAlert) -> AlertText:
    alert = waiting.alert
    return AlertText(title=alert.title, body=alert.body, html=alert.html, short=alert.short)


def _note(batch: Sequence[QueuedAlert]) -> str | None:
    return None if len(batch) == 1 else f"sent as one message with {len(batch) - 1} more"


def _facts(waiting: QueuedAlert) -> tuple[ChangeFact, ...]:
    return tuple(fact_of(waiting.account, change.change) for change in waiting.changes)
