"""Notices sent directly to the channels about the database itself, while no alert can be queued in it.

While writes fail: one notice for each such period, at most one a day, and not at the first failure, because a database
may be busy for a moment; and one when writes succeed again. A database that is lost is announced at once.

Channels that are only for some cases or people are told without the reason, and only that checks do not work: after
`blind_after`, as about an account. If there is no other channel, they get what the others would.
"""

import socket
import threading
import time
from datetime import datetime, timedelta
from threading import Thread
from typing import TypeAlias

import structlog

from watcher.alerts.coverage import is_limited
from watcher.alerts.text_blocks import Paragraph
from watcher.delivery.apprise_notifier import Notifier
from watcher.errors import DeliveryFailed
from watcher.language.catalogue import load_catalogue
from watcher.settings import ChannelSettings, Settings

FAILURE_THRESHOLD = timedelta(seconds=30)
"""How long writes must have failed before a notice is sent."""

MIN_INTERVAL = timedelta(days=1)
_TIMEOUT = 20.0  # real seconds for all channels together
_Text: TypeAlias = tuple[str, str]  # title and body
_log = structlog.get_logger(__name__)


class EmergencyNotice:
    """Follows the results of database writes. Thread-safe.

    `source` in its methods names who wrote: a success ends the failures of the same source only.
    """

    def __init__(self, notifier: Notifier, *, machine: str | None = None) -> None:
        """Create it without sending anything. `machine` is the name of this machine: daemons on others speak too."""
        self._notifier, self._machine = notifier, machine or socket.gethostname()
        self._lock = threading.Lock()
        self._failing_since: dict[str, datetime] = {}
        self._notified_at: datetime | None = None
        self._is_announced = self._clients_know = False

    @property
    def is_open(self) -> bool:
        """Whether a write has failed since the last good one, or the end of failures is still to be announced."""
        return bool(self._failing_since) or self._is_announced

    def write_succeeded(self, source: str, settings: Settings) -> None:
        """Record a successful write. If failures that were announced are over, return after trying every channel."""
        with self._lock:
            self._failing_since.pop(source, None)
            if self._failing_since or not self._is_announced:
                return
            self._is_announced, with_clients = False, self._clients_know
            self._clients_know = False
        self._send_to_all("database_works", "", settings, with_clients=with_clients)

    def write_failed(self, source: str, reason: str, settings: Settings, *, now: datetime) -> None:
        """Record a failed write. If a notice is due, return after trying every channel."""
        with self._lock:
            self._failing_since.setdefault(source, now)
            # The clock may have been set back since.
            self._failing_since = {name: min(since, now) for name, since in self._failing_since.items()}
            self._notified_at = self._notified_at and min(self._notified_at, now)
            notified_recently = self._notified_at is not None and now - self._notified_at < MIN_INTERVAL
            duration = now - min(self._failing_since.values())
            if notified_recently or duration < FAILURE_THRESHOLD:
                return
            self._notified_at, self._is_announced = now, True
            with_clients = not self._clients_know and duration >= settings.schedule.blind_after
            self._clients_know = self._clients_know or with_clients
        self._send_to_all("last_resort", reason, settings, with_clients=with_clients)

    def database_lost(self, reason: str, settings: Settings) -> None:
        """Announce that the daemon ends because its database is lost. Return after trying every channel."""
        self._send_to_all("database_lost", reason, settings, with_clients=True)

    def _send_to_all(self, message: str, reason: str, settings: Settings, *, with_clients: bool) -> None:
        clients = [channel for channel in settings.channels.values() if is_limited(channel)]
        others = [channel for channel in settings.channels.values() if not is_limited(channel)]
        texts = [(channel, self._text(channel, message, reason, settings)) for channel in others or clients]
        if others and with_clients:
            texts += [(channel, _text_for_client(channel, message, settings)) for channel in clients]
        threads = [Thread(target=self._send, args=sent, daemon=True) for sent in texts]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + _TIMEOUT
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _text(self, channel: ChannelSettings, message: str, reason: str, settings: Settings) -> _Text:
        catalogue = load_catalogue(settings.language_of(channel.name))
        machine = catalogue.format("emergency", "machine", machine=self._machine)
        body = f"{catalogue.format(message, 'body', reason=reason)}\n\n{machine}"
        return catalogue.message(message, "title"), body

    def _send(self, channel: ChannelSettings, text: _Text) -> None:
        title, body = text
        html = Paragraph(body).html()
        try:
            self._notifier.send(channel.url, title=title, body=body, html=html, short=title)
        except DeliveryFailed as error:
            _log.error("emergency_notice_not_sent", channel=channel.name, reason=str(error))


def _text_for_client(channel: ChannelSettings, message: str, settings: Settings) -> _Text:
    """Return the notice for somebody who cannot repair the database."""
    catalogue = load_catalogue(settings.language_of(channel.name))
    if message == "database_works":
        return catalogue.message("change", "recovered", "headline"), catalogue.message(message, "body")
    parts = (catalogue.message("change", "blind_for_client", part) for part in ("plain", "next"))
    return catalogue.message("change", "blind_for_client", "headline"), "\n\n".join(parts)
