"""Notices sent directly to the channels while the database cannot be written, so no alert can be queued.

One notice for each such period, at most one a day, and not at the first failure: a database may be busy for a moment.
"""

import threading
from datetime import datetime, timedelta

import structlog

from watcher.alerts.text_blocks import Paragraph
from watcher.delivery.apprise_notifier import Notifier
from watcher.errors import DeliveryFailed
from watcher.language.catalogue import load_catalogue
from watcher.settings import ChannelSettings, Settings

FAILURE_THRESHOLD = timedelta(minutes=2)
"""How long all writes must have failed before a notice is sent."""

MIN_INTERVAL = timedelta(days=1)
_log = structlog.get_logger(__name__)


class EmergencyNotice:
    """Follows the results of database writes. Thread-safe."""

    def __init__(self, notifier: Notifier) -> None:
        """Create it without sending anything."""
        self._notifier = notifier
        self._lock = threading.Lock()
        self._failing_since: datetime | None = None
        self._notified_at: datetime | None = None

    def write_succeeded(self) -> None:
        """Record a successful write."""
        with self._lock:
            self._failing_since = None

    def write_failed(self, reason: str, settings: Settings, *, now: datetime) -> None:
        """Record a failed write. If a notice is due, return after trying every channel."""
        with self._lock:
            self._failing_since = self._failing_since or now
            notified_recently = self._notified_at is not None and now - self._notified_at < MIN_INTERVAL
            if notified_recently or now - self._failing_since < FAILURE_THRESHOLD:
                return
            self._notified_at = now
        for channel in settings.channels.values():
            self._send(channel, reason, settings)

    def _send(self, channel: ChannelSettings, reason: str, settings: Settings) -> None:
        catalogue = load_catalogue(settings.language)
        title = catalogue.message("last_resort", "title")
        text = Paragraph(catalogue.format("last_resort", "body", reason=reason))
        try:
            self._notifier.send(channel.url, title=title, body=text.plain(), html=text.html(), short=title)
        except DeliveryFailed as error:
            _log.error("emergency_notice_not_sent", channel=channel.name, reason=str(error))
