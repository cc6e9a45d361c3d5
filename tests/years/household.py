"""A household with one account, a real database, a settable clock, and phones that record their messages."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from tests.doubles.notifier import AcceptsAttachments
from tests.years.in_store import SettableClock
from watcher.alerts.digest import MAX_CHAT_BYTES
from watcher.alerts.title import MAX_TITLE_LENGTH
from watcher.app import App, open_app
from watcher.delivery.message_traits import NO_TRAITS, Traits
from watcher.errors import DeliveryFailed, ReadFailed
from watcher.model.account_health import ReadResult
from watcher.model.case import Snapshot, Stage
from watcher.model.change import RecordedChange
from watcher.model.ledger import TrackedItem
from watcher.portal import CaseFailed, CaseRead
from watcher.portals import find
from watcher.reading.poll import record_results
from watcher.settings import Settings

ACCOUNT, NUMBER = "family", "IOE0000000001"
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)  # a Monday, in New York
NIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)  # three in the morning there


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """One message that a phone received."""

    at: datetime
    channel: str
    title: str
    body: str


@dataclass(slots=True)
class FakePhones(AcceptsAttachments):
    """A notifier that records every message. The URL's path is the channel's name."""

    clock: SettableClock
    messages: list[PhoneMessage] = field(default_factory=list)
    unreachable: bool = False

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
        if self.unreachable:
            raise DeliveryFailed("nobody answers")
        assert html
        assert short
        assert not attachments
        channel = urlsplit(url.get_secret_value()).path.strip("/")
        assert len(title) <= MAX_TITLE_LENGTH, title
        assert len(f"{title}\n\n{body}".encode()) <= MAX_CHAT_BYTES, body
        self.messages.append(PhoneMessage(self.clock.now(), channel, title, body))


_CASE = Snapshot(case_number=NUMBER, form="I-485", stage=Stage.UNDER_REVIEW, status="A chapter", pending=(), history=())


@dataclass(slots=True, kw_only=True)
class Household:
    """One app and its phones. `case` is the snapshot at the portal; the first one is under review since yesterday."""

    app: App
    clock: SettableClock
    phones: FakePhones
    case: Snapshot = _CASE

    def check(self, *snapshots: Snapshot) -> ReadResult:
        """Record a complete check with these cases."""
        return self._record([CaseRead(snapshot=snapshot) for snapshot in snapshots or (self.case,)])

    def fail(self, error: ReadFailed) -> ReadResult:
        """Record a failed check."""
        return self._record([CaseFailed(case_number=NUMBER, error=error)])

    def show(self, **fields: Any) -> ReadResult:
        """Change these fields at the portal, and check."""
        self.case = replace(self.case, **fields)
        return self.check()

    def advance_to(self, moment: datetime) -> "Household":
        """Advance the clock, and deliver everything that is due until then like the daemon."""
        while (due := self.app.store.outbox.next_due()) is not None and due <= moment:
            self.clock.set(due)
            self.app.outbox_worker().deliver_due()
        self.clock.set(moment)
        return self

    def advance(self, **span: float) -> "Household":
        return self.advance_to(self.clock.now() + timedelta(**span))

    def new_messages(self) -> list[PhoneMessage]:
        """Deliver what is due now, and return the messages since the last call."""
        self.advance_to(self.clock.now())
        new = list(self.phones.messages)
        self.phones.messages.clear()
        return new

    def item(self, key: str) -> TrackedItem:
        return next(item for item in self.app.store.items() if item.item.key == key)

    def set_done(self, key: str) -> None:
        """Mark an item as done like `watcher done`."""
        item = self.item(key)
        self.app.store.ledger.set_done(item.id)
        self.app.store.outbox.acknowledge_subject(item.account, item.case_number, key, self.clock.now())

    def record_time_reminders(self) -> list[RecordedChange]:
        """Record the reminders that are due like the daemon."""
        return self.app.record_time_reminders(at_any_hour=False)

    def _record(self, results: Sequence[CaseRead | CaseFailed]) -> ReadResult:
        account, portal = self.app.settings.accounts[ACCOUNT], self.app.portal_of(ACCOUNT)
        return record_results(results, account, portal, self.app.context, complete=True)


@contextmanager
def household(
    folder: Path, channels: Mapping[str, Mapping[str, Any]] | None = None, *, now: datetime = NOON, **settings: Any
) -> Iterator[Household]:
    """Yield a household with these channels (rules by name); without any, with one phone that receives everything."""
    rules = channels or {"phone": {"min_severity": "routine", "max_per_hour": 0}}
    defaults = {
        "timezone": ZoneInfo("America/New_York"),
        "state_dir": folder / "state",
        "accounts": {ACCOUNT: find("uscis").account.model_validate({"name": ACCOUNT, "portal": "uscis"})},
        "channels": {
            name: {"name": name, "url": f"json://localhost/{name}", "privacy": "full", **channel_rules}
            for name, channel_rules in rules.items()
        },
    }
    clock = SettableClock(now)
    phones = FakePhones(clock)
    with open_app(Settings.model_validate(defaults | settings), clock=clock, notifier=phones) as app:
        yield Household(app=app, clock=clock, phones=phones)
