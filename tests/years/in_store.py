"""The story told to the program itself: its settings, its database on disk, its courier, and a clock set by hand.

Only what stands at either end is not its own: the snapshots come from the story, and a list takes the messages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from tests.doubles.notifier import AcceptsAttachments
from tests.years.books import ACCOUNT, NOON, Line, words
from watcher.app import App
from watcher.model.alert import HoldReason
from watcher.model.case import Snapshot
from watcher.model.ledger import TrackedItem
from watcher.portal import CaseRead
from watcher.reading.poll import record_results
from watcher.store import QueuedAlert, Store


@dataclass(slots=True)
class HandSetClock:
    """Stands still until it is set; never goes back."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.moment).total_seconds()

    def set(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)


@dataclass(slots=True, kw_only=True)
class Addressees(AcceptsAttachments):
    """Takes every message, and finds in the outbox which alerts it is made of. A channel's name is its URL's path."""

    clock: HandSetClock
    outbox_of: Callable[[], Store]
    lines: list[Line] = field(default_factory=list)

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        channel = urlsplit(url.get_secret_value()).path.strip("/")
        assert short
        assert html
        assert not attachments
        alerts = self._alerts(channel, title, body)
        said = tuple(words(change.change) for alert in alerts for change in alert.changes)
        self.lines.append(Line(self.clock.now(), channel, said))

    def _alerts(self, channel: str, title: str, body: str) -> list[QueuedAlert]:
        """The alert with these words; for a digest, all that wait for it, each of which it must tell."""
        due = [each for each in self.outbox_of().outbox.due(self.clock.now()) if each.alert.channel == channel]
        single = [each for each in due if (each.alert.title, each.alert.body) == (title, body)]
        if single:
            return single[:1]
        digest = [each for each in due if each.hold_reason is HoldReason.DIGEST]
        assert digest
        assert all(_headline(each) in body for each in digest)
        return digest


def _headline(waiting: QueuedAlert) -> str:
    """What the title says after the case that it is about."""
    return waiting.alert.title.partition(": ")[2] or waiting.alert.title


def _is_sunday(now: datetime) -> bool:
    return now.isoweekday() == 7


class BooksInStore:
    """The program with a story at one end and a list at the other. `clock` and `addressees` are those of `app`."""

    def __init__(self, app: App, clock: HandSetClock, addressees: Addressees) -> None:
        self._app, self._clock, self._addressees = app, clock, addressees
        self._shown: list[Snapshot] = []
        self._quiet_until: datetime | None = None

    def read(self, now: datetime, snapshots: Sequence[Snapshot]) -> None:
        """Every new thing, and once a week what is not: a round without news leaves nothing behind but its time."""
        self._clock.set(now)
        if self._shown == list(snapshots) and not _is_sunday(now):
            return
        self._shown, self._quiet_until = list(snapshots), None
        account, portal = self._app.settings.accounts[ACCOUNT], self._app.portal_of(ACCOUNT)
        readings = [CaseRead(snapshot=snapshot) for snapshot in snapshots]
        done = record_results(readings, account, portal, self._app.context, complete=True)
        assert done.error is None

    def remind(self, now: datetime) -> None:
        """As the daemon asks: every noon, and on Sundays round the clock, to hear that the nights stay silent."""
        self._clock.set(now)
        if (now.hour == NOON or _is_sunday(now)) and self._app.record_time_reminders(at_any_hour=False):
            self._quiet_until = None

    def deliver(self, now: datetime) -> None:
        """Like the daemon, whose delivery sleeps until the next alert is due, or something new has come."""
        if self._quiet_until is not None and now < self._quiet_until:
            return
        outbox, courier = self._app.store.outbox, self._app.outbox_worker()
        while (due := outbox.next_due()) is not None and due <= now:
            self._clock.set(due)
            courier.deliver_due()
        self._clock.set(now)
        self._quiet_until = due or datetime.max.replace(tzinfo=UTC)

    def set_done(self, case_number: str, key: str) -> None:
        item = self._item(case_number, key)
        self._app.store.ledger.set_done(item.id)
        self._app.store.outbox.acknowledge_subject(item.account, case_number, key, self._clock.now())

    def set_due(self, case_number: str, key: str, due_on: date) -> None:
        self._app.store.ledger.set_due(self._item(case_number, key).id, due_on)

    def lines(self) -> list[Line]:
        return self._addressees.lines

    def _item(self, case_number: str, key: str) -> TrackedItem:
        items = self._app.store.items()
        return next(each for each in items if (each.case_number, each.item.key) == (case_number, key))
