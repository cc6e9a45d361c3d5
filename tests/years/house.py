"""A house with one account, its real database, a clock set by hand, and phones that remember what rang."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from tests.doubles.notifier import AcceptsAttachments
from tests.years.in_store import HandSetClock
from watcher.app import App, open_app
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
class Rang:
    """One message as it reached a phone."""

    at: datetime
    channel: str
    title: str
    body: str


@dataclass(slots=True)
class Phones(AcceptsAttachments):
    """Takes every message; a channel's name is its URL's path."""

    clock: HandSetClock
    rang: list[Rang] = field(default_factory=list)
    deaf: bool = False

    def send(
        self, url: SecretStr, *, title: str, body: str, html: str, short: str, attachments: Sequence[Path] = ()
    ) -> None:
        if self.deaf:
            raise DeliveryFailed("nobody answers")
        assert html
        assert short
        assert not attachments
        channel = urlsplit(url.get_secret_value()).path.strip("/")
        self.rang.append(Rang(self.clock.now(), channel, title, body))


_CASE = Snapshot(case_number=NUMBER, form="I-485", stage=Stage.UNDER_REVIEW, status="A chapter", pending=(), history=())


@dataclass(slots=True, kw_only=True)
class House:
    """`case` is the snapshot that the portal shows at first: a quiet one, under review since yesterday."""

    app: App
    clock: HandSetClock
    phones: Phones
    case: Snapshot = _CASE

    def read(self, *snapshots: Snapshot) -> ReadResult:
        """A complete read that brings these cases home."""
        return self._take_in([CaseRead(snapshot=each) for each in snapshots or (self.case,)])

    def fail(self, error: ReadFailed) -> ReadResult:
        """A read that comes to nothing."""
        return self._take_in([CaseFailed(case_number=NUMBER, error=error)])

    def shows(self, **fields: Any) -> ReadResult:
        """The portal shows these fields anew."""
        self.case = replace(self.case, **fields)
        return self.read()

    def at(self, moment: datetime) -> "House":
        """Delivers whatever is due until then, as the daemon's delivery would."""
        while (due := self.app.store.outbox.next_due()) is not None and due <= moment:
            self.clock.set(due)
            self.app.outbox_worker().deliver_due()
        self.clock.set(moment)
        return self

    def later(self, **span: float) -> "House":
        return self.at(self.clock.now() + timedelta(**span))

    def rings(self) -> list[Rang]:
        """What has rung since this was last asked, everything delivered that is due now."""
        self.at(self.clock.now())
        rang = list(self.phones.rang)
        self.phones.rang.clear()
        return rang

    def item(self, key: str) -> TrackedItem:
        return next(each for each in self.app.store.items() if each.item.key == key)

    def done(self, key: str) -> None:
        """As `watcher done` does it."""
        item = self.item(key)
        self.app.store.ledger.set_done(item.id)
        self.app.store.outbox.acknowledge_subject(item.account, item.case_number, key, self.clock.now())

    def time_brings(self) -> list[RecordedChange]:
        """As the daemon asks."""
        return self.app.record_time_reminders(at_any_hour=False)

    def _take_in(self, readings: Sequence[CaseRead | CaseFailed]) -> ReadResult:
        account, portal = self.app.settings.accounts[ACCOUNT], self.app.portal_of(ACCOUNT)
        return record_results(readings, account, portal, self.app.context, complete=True)


@contextmanager
def house(
    folder: Path, channels: Mapping[str, Mapping[str, Any]] | None = None, *, now: datetime = NOON, **settings: Any
) -> Iterator[House]:
    """`channels` by name, with their rules; else one phone that hears everything. What it hears at first is over."""
    rules = channels or {"phone": {"min_severity": "routine", "max_per_hour": 0}}
    whole = {
        "timezone": ZoneInfo("America/New_York"),
        "state_dir": folder / "state",
        "accounts": {ACCOUNT: find("uscis").account.model_validate({"name": ACCOUNT, "portal": "uscis"})},
        "channels": {
            name: {"name": name, "url": f"json://localhost/{name}", "privacy": "full", **each}
            for name, each in rules.items()
        },
    }
    clock = HandSetClock(now)
    phones = Phones(clock)
    with open_app(Settings.model_validate(whole | settings), clock=clock, notifier=phones) as app:
        yield House(app=app, clock=clock, phones=phones)
