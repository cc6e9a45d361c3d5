"""A fake notifier that records messages by URL, whose services can be down, misconfigured, or hanging."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock

from pydantic import SecretStr

from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.errors import DeliveryFailed


class AcceptsAttachments:
    """The part of a notifier for attachments: every service accepts them."""

    def can_attach(self, url: SecretStr) -> bool:
        return bool(url)


@dataclass(slots=True)
class FakeNotifier(AcceptsAttachments):
    """Services in `broken` fail, permanently if True. One in `hanging` answers when its event is set.

    All services fail for the next `failures` messages. They refuse the titles in `refused`, and those in `failing_once`
    the first time. `on_send` is called with the title of each message. A URL in `targets` has several targets, of which
    those that are `down` accept nothing; the others deliver to the service "URL TARGET". A service that is `busy` asks
    to be left alone for a time.
    """

    broken: dict[str, bool] = field(default_factory=dict)
    hanging: dict[str, Event] = field(default_factory=dict)
    attempts: list[tuple[str, str]] = field(default_factory=list)
    delivered: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    traits: list[Traits] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    failures: int = 0
    failing_once: set[str] = field(default_factory=set)
    targets: dict[str, Sequence[str]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    busy: dict[str, timedelta] = field(default_factory=dict)
    on_send: Callable[[str], object] = lambda _: None
    lock: Lock = field(default_factory=Lock)

    def send(
        self,
        url: SecretStr,
        *,
        title: str,
        body: str,
        html: str,
        short: str,
        attachments: Sequence[Path] = (),
        accepted_by: Collection[str] = (),
        traits: Traits = NO_TRAITS,
    ) -> None:
        assert body, html
        self.traits.append(traits)
        assert short
        assert all(path.is_file() for path in attachments)
        service = url.get_secret_value()
        with self.lock:
            self.attempts.append((service, title))
        if service in self.hanging:
            self.hanging[service].wait(20)
        self.on_send(title)
        if self.failures:
            self.failures -= 1
            raise DeliveryFailed("the service is down")
        if title in self.failing_once:
            self.failing_once.remove(title)
            raise DeliveryFailed("the service was down for a moment")
        if title in self.refused:
            raise DeliveryFailed("the service refused this message")
        if service in self.busy:
            raise DeliveryFailed("the service is busy", retry_after=self.busy[service])
        if service in self.broken:
            raise DeliveryFailed("the service said no", permanent=self.broken[service])
        accepting = [name for name in self.targets.get(service, ()) if name not in self.down]
        with self.lock:
            self.delivered += [(f"{service} {name}", title) for name in accepting if name not in accepted_by]
            if service not in self.targets:
                self.delivered.append((service, title))
                self.bodies.append(body)
        if len(accepting) < len(self.targets.get(service, ())):
            raise DeliveryFailed("one target is down", accepted_by={*accepting, *accepted_by})

    def titles(self, service: str) -> list[str]:
        """Return the titles that the service accepted, in order."""
        return [title for url, title in self.delivered if url == service]
