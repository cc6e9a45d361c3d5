"""The real program for the simulation: its settings, database on disk, and outbox worker, with a settable clock.

Only the two ends are replaced: the snapshots come from the story, and a notifier records the messages.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from tests.doubles.notifier import AcceptsAttachments
from tests.support.lengths import Longest
from tests.years.in_memory import ACCOUNT, NOON, Message, describe
from watcher.app import App
from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.model.alert import HoldReason
from watcher.model.case import Snapshot
from watcher.model.ledger import TrackedItem
from watcher.portal import CaseRead
from watcher.reading.poll import record_results
from watcher.remind.time_reminders import next_time_reminder
from watcher.store import QueuedAlert, Store


@dataclass(slots=True)
class SettableClock:
    """A clock that changes only when it is set, and never goes back."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.moment).total_seconds()

    def set(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)


@dataclass(slots=True, kw_only=True)
class RecordingNotifier(AcceptsAttachments):
    """A notifier that records each message with its alerts from the outbox. The URL's path is the channel's name."""

    clock: SettableClock
    store_of: Callable[[], Store]
    messages: list[Message] = field(default_factory=list)
    longest: Longest = field(default_factory=Longest)

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
        assert not accepted_by, "each channel is one target"
        assert isinstance(traits, Traits)
        channel = urlsplit(url.get_secret_value()).path.strip("/")
        assert short
        assert html
        assert not attachments
        alerts = self._alerts(channel, title, body)
        if len(alerts) == 1:
            self.longest.check(title=title, body=body, short=short)
        contents = tuple(describe(change.change) for alert in alerts for change in alert.changes)
        self.messages.append(Message(self.clock.now(), channel, contents))

    def _alerts(self, channel: str, title: str, body: str) -> list[QueuedAlert]:
        """Return the alert with this text; for a digest, all its alerts, each of which it must contain."""
        outbox = self.store_of().outbox
        due = [queued for queued in outbox.due(self.clock.now()) if queued.alert.channel == channel]
        bodies = {number: text.body for number, text in outbox.texts([queued.alert.id for queued in due]).items()}
        single = [queued for queued in due if (queued.alert.title, bodies[queued.alert.id]) == (title, body)]
        if single:
            return single[:1]
        digest = [queued for queued in due if queued.hold_reason is HoldReason.DIGEST]
        assert digest
        assert all(_headline(queued) in body for queued in digest)
        return digest


def _headline(queued: QueuedAlert) -> str:
    """Return the part of the title after the case."""
    return queued.alert.title.partition(": ")[2] or queued.alert.title


def _is_sunday(now: datetime) -> bool:
    return now.isoweekday() == 7


class StoredProgram:
    """The real program. `clock` and `notifier` are those of `app`."""

    def __init__(self, app: App, clock: SettableClock, notifier: RecordingNotifier) -> None:
        self._app, self._clock, self._notifier = app, clock, notifier
        self._last_snapshots: list[Snapshot] = []
        self._next_due: datetime | None = None
        self._next_reminder: datetime | None = None

    def check(self, now: datetime, snapshots: Sequence[Snapshot]) -> None:
        """Record new snapshots, and once a week unchanged ones: a check without changes only writes its time."""
        self._clock.set(now)
        if self._last_snapshots == list(snapshots) and not (_is_sunday(now) and now.hour == NOON):
            return
        self._last_snapshots, self._next_due, self._next_reminder = list(snapshots), None, None
        account, portal = self._app.settings.accounts[ACCOUNT], self._app.portal_of(ACCOUNT)
        results = [CaseRead(snapshot=snapshot) for snapshot in snapshots]
        result = record_results(results, account, portal, self._app.context, complete=True)
        assert result.error is None

    def record_time_reminders(self, now: datetime) -> None:
        """Record at noon what the daemon would wake up for, and on Sundays look all day whether it has missed any.

        So nights stay quiet, and nothing is due earlier than the daemon thinks.
        """
        self._clock.set(now)
        if _is_sunday(now) or (now.hour == NOON and now >= self._planned_reminder(now)):
            self._next_reminder = None
            if self._app.record_time_reminders(at_any_hour=False):
                self._next_due = None

    def _planned_reminder(self, now: datetime) -> datetime:
        if self._next_reminder is None:
            until = now + timedelta(days=7)
            self._next_reminder = next_time_reminder(self._app.context, until) or until
        return self._next_reminder

    def deliver(self, now: datetime) -> None:
        """Deliver like the daemon, which waits until the next alert is due or a change is recorded."""
        if self._next_due is not None and now < self._next_due:
            return
        outbox, worker = self._app.store.outbox, self._app.outbox_worker()
        while (due := outbox.next_due()) is not None and due <= now:
            self._clock.set(due)
            worker.deliver_due()
        self._clock.set(now)
        self._next_due = due or datetime.max.replace(tzinfo=UTC)

    def set_done(self, case_number: str, key: str) -> None:
        self._next_reminder = None
        item = self._item(case_number, key)
        self._app.store.ledger.set_done(item.id)
        self._app.store.outbox.acknowledge_subject(item.account, case_number, key, self._clock.now())

    def set_due(self, case_number: str, key: str, due_on: date) -> None:
        self._next_reminder = None
        self._app.store.ledger.set_due(self._item(case_number, key).id, due_on)

    def messages(self) -> list[Message]:
        return self._notifier.messages

    def _item(self, case_number: str, key: str) -> TrackedItem:
        items = self._app.store.items()
        return next(queued for queued in items if (queued.case_number, queued.item.key) == (case_number, key))
