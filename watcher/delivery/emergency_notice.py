"""When the books cannot be written, nothing can be queued: people are then told straight through the channels.

Once for each such time and at most once a day, and not at the first failure: a database that is busy for a moment
is no news.
"""

import threading
from datetime import datetime, timedelta

import structlog

from watcher.delivery.apprise_notifier import Notifier
from watcher.errors import DeliveryFailed
from watcher.language.catalogue import load_catalogue
from watcher.settings import ChannelSettings, Settings

FAILURE_THRESHOLD = timedelta(minutes=2)
"""How long the books must have failed, without one success, before anybody is disturbed."""

MIN_INTERVAL = timedelta(days=1)
_log = structlog.get_logger(__name__)


class EmergencyNotice:
    """Hears of every attempt to write the books. Safe to call from several threads."""

    def __init__(self, notifier: Notifier) -> None:
        """Tells nobody yet."""
        self._notifier = notifier
        self._lock = threading.Lock()
        self._failing_since: datetime | None = None
        self._told_at: datetime | None = None

    def write_succeeded(self) -> None:
        """The books were written."""
        with self._lock:
            self._failing_since = None

    def write_failed(self, reason: str, settings: Settings, *, now: datetime) -> None:
        """The books could not be written. Returns when every channel was tried, where people are to be told."""
        with self._lock:
            self._failing_since = self._failing_since or now
            told_lately = self._told_at is not None and now - self._told_at < MIN_INTERVAL
            if told_lately or now - self._failing_since < FAILURE_THRESHOLD:
                return
            self._told_at = now
        for channel in settings.channels.values():
            self._tell(channel, reason, settings)

    def _tell(self, channel: ChannelSettings, reason: str, settings: Settings) -> None:
        words = load_catalogue(settings.language)
        title = words.message("last_resort", "title")
        body = words.format("last_resort", "body", reason=reason)
        try:
            self._notifier.send(channel.url, title=title, body=body, html=f"<p>{_inert(body)}</p>", short=title)
        except DeliveryFailed as error:
            _log.error("nobody could be told that the books fail", channel=channel.name, reason=str(error))


def _inert(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
