"""A fake notifier that records messages by URL, whose services can be down, misconfigured, or hanging."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from pydantic import SecretStr

from watcher.errors import DeliveryFailed


class AcceptsAttachments:
    """The part of a notifier for attachments: every service accepts them."""

    def can_attach(self, url: SecretStr) -> bool:
        return bool(url)


@dataclass(slots=True)
class FakeNotifier(AcceptsAttachments):
    """Services in `broken` fail, permanently if True. One in `hanging` answers when its event is set."""

    broken: dict[str, bool] = field(default_factory=dict)
    hanging: dict[str, Event] = field(default_factory=dict)
    attempts: list[tuple[str, str]] = field(default_factory=list)
    delivered: list[tuple[str, str]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        assert body, html
        assert short
        assert all(path.is_file() for path in attachments)
        service = url.get_secret_value()
        with self.lock:
            self.attempts.append((service, title))
        if service in self.hanging:
            self.hanging[service].wait(20)
        if service in self.broken:
            raise DeliveryFailed("the service said no", permanent=self.broken[service])
        with self.lock:
            self.delivered.append((service, title))

    def titles(self, service: str) -> list[str]:
        """Return the titles that the service accepted, in order."""
        return [title for url, title in self.delivered if url == service]
