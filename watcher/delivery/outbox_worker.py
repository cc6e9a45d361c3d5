"""The outbox worker: sends due alerts from the outbox until their channels accept them.

An alert is marked as sent after the channel accepted it, never before. A kill in between may send it twice, but no
alert is lost. Each channel has its own lock, so that one worker at a time delivers to it, whatever process it is in.
Each alert is also claimed in the database, so that a worker whose lock was lost sends nothing twice.
"""

import time
from threading import Event
from typing import TYPE_CHECKING

from watcher.clock import Clock
from watcher.delivery.apprise_notifier import Notifier
from watcher.delivery.channel_delivery import ChannelDelivery
from watcher.delivery.channel_threads import ChannelThreads
from watcher.delivery.message_sender import MessageSender
from watcher.errors import LockLost
from watcher.messages import _
from watcher.settings import Settings
from watcher.store import Busy, Store, claimant

if TYPE_CHECKING:
    from collections.abc import Collection

STOP_GRACE = 20.0
"""Real seconds in which a message in flight may finish after `stop` was set."""

_STOP_CHECK = 0.2  # real seconds


def delivery_lock(channel: str) -> str:
    """Return the name of the lock that is held while alerts are sent to this channel."""
    return f"delivery {channel}"


class OutboxWorker:
    """Delivers due alerts. Threads and processes may call it at the same time; only one of them serves a channel."""

    def __init__(
        self, store: Store, notifier: Notifier, clock: Clock, *, settings: Settings, stop: Event | None = None
    ) -> None:
        """Create a worker without sending anything. After `stop` is set, no further message is started."""
        self._store, self._notifier, self._clock = store, notifier, clock
        self._settings = settings
        self._stop = stop or Event()

    def due_channels(self) -> "Collection[str]":
        """Return the channels that have alerts to be sent now."""
        return self._store.outbox.due_channels(self._clock.now())

    def deliver_due(self, *, wait: float = 0.0) -> int:
        """Send all due alerts; return how many the channels accepted.

        `wait`: seconds (monotonic) to wait for another worker to finish with a channel; if it does not, the channel is
        left to it. Raises `StoreUnusable` after all channels were tried. An alert that was accepted is not sent again
        even if that could not be stored.
        """
        counts: list[int] = []
        errors: list[Exception] = []

        def keep(_: str, error: Exception) -> float:
            if not isinstance(error, Busy | LockLost):
                errors.append(error)
            return 0.0

        threads = ChannelThreads(lambda name: counts.append(self.deliver(name, wait=wait)), on_error=keep)
        for channel in self.due_channels():
            threads.start(channel)
        while threads.busy() and not self._stop.is_set():
            threads.join(_STOP_CHECK)
        threads.join(STOP_GRACE)
        if errors:
            raise errors[0]
        return sum(counts)

    def deliver(self, channel: str, *, wait: float = 0.0) -> int:
        """Send the due alerts of one channel; return how many it accepted. A message in flight is finished on `stop`.

        Raises `Busy` if another worker serves the channel and does not finish within `wait` seconds (monotonic),
        `LockLost` if another one may have begun to serve it meanwhile, and `StoreUnusable`.
        """
        with self._store.locks.acquire(delivery_lock(channel), wait=wait, stop=self._stop) as held:
            settings = self._settings.channels.get(channel)
            if settings is None:
                self._give_up(channel)
                return 0
            with claimant() as name:
                sender = MessageSender(
                    store=self._store,
                    notifier=self._notifier,
                    clock=self._clock,
                    settings=self._settings,
                    channel=settings,
                    claimant=name,
                    held=held,
                )
                return ChannelDelivery(sender, self._stop).run()

    def finish(self, *, within: float) -> None:
        """Record what was delivered and could not be recorded yet. Gives up after `within` seconds (monotonic)."""
        end = time.monotonic() + within
        while self._store.outbox.save_delivered() and time.monotonic() < end:
            time.sleep(_STOP_CHECK)

    def _give_up(self, channel: str) -> None:
        due = self._store.outbox.due(self._clock.now(), channels=[channel])
        reason = _("the channel {channel} is no longer in the configuration", channel=channel)
        self._store.outbox.mark_undeliverable([queued.alert.id for queued in due], reason)
