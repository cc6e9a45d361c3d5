"""A fake notifier that records messages by URL, whose services can be down, misconfigured, or hanging."""

from collections.abc import Callable, Sequence
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
    """Services in `broken` fail, permanently if True. One in `hanging` answers when its event is set.

    All services refuse the titles in `refused`. `on_send` is called with the title of each message.
    """

    broken: dict[str, bool] = field(default_factory=dict)
    hanging: dict[str, Event] = field(default_factory=dict)
    attempts: list[tuple[str, str]] = field(default_factory=list)
    delivered: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    on_send: Callable[[str], object] = lambda _: None
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
        self.on_send(title)
        if title in self.refused:
            raise DeliveryFailed("the service refused this message")
        if service in self.broken:
            raise DeliveryFailed("the service said no", permanent=self.broken[service])
        with self.lock:
            self.delivered.append((service, title))
            self.bodies.append(body)

    def titles(self, service: str) -> list[str]:
        """Return the titles that the service accepted, in order."""
        return [title for url, title in self.delivered if url == service]
