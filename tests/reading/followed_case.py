"""One case as the program follows it: normalized, compared, and recorded in a real store on a real file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from tests.store.temporary_store import TemporaryStore, case_write
from watcher.model.case import ItemKind, Snapshot
from watcher.model.change import Change, ChangeKind
from watcher.model.ledger import TrackedItem
from watcher.model.writes import WriteSet
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
OPENED = {ChangeKind.RFE_RECEIVED, ChangeKind.INTENT_TO_DENY_RECEIVED, ChangeKind.ITEM_ADDED}
ENDED = {ChangeKind.ITEM_CLOSED, ChangeKind.APPOINTMENT_CANCELLED}
_NUMBERS = count(1)


@dataclass(slots=True, kw_only=True)
class FollowedCase:
    """A case in the store, with every change that its checks have found. Each has an account of its own."""

    temporary: TemporaryStore
    vocabulary: str = "uscis"
    now: datetime = START
    account: str = field(default_factory=lambda: f"account-{next(_NUMBERS)}")
    before: Snapshot | None = None
    changes: list[Change] = field(default_factory=list)
    once_open: set[str] = field(default_factory=set)
    """The keys of items that were open after a check."""

    def __post_init__(self) -> None:
        self.temporary.store.accounts.health(self.account, self.now)

    def check(self, fresh: Snapshot, *, now: datetime | None = None) -> list[Change]:
        """Make a check a day later, or at `now`, and return its changes. Only a case that differs is recorded."""
        self.now = now or self.now + timedelta(days=1)
        after = normalize(self.before, fresh, vocabulary=self.vocabulary)
        changes = diff(self.before, after, now=self.now, zone=UTC_ZONE, vocabulary=self.vocabulary)
        if after == self.before:
            return list(changes)
        store = self.temporary.store
        stored = store.known_cases(self.account).get(fresh.case_number)
        writes = WriteSet(
            account=self.account,
            case_number=fresh.case_number,
            case=case_write(after, revision=stored.revision if stored else None),
            changes=changes,
            summaries=("something",) * len(changes),
        )
        store.record([writes], now=self.now)
        number = fresh.case_number
        self.before = store.earlier_cases(self.account, [number], limit=1)[number].snapshot(fallback=after)
        assert self.before == after, "a stored snapshot is read as it was written"
        self.changes += changes
        self.once_open |= {item.key for item in after.pending or () if item.is_open}
        return list(changes)

    def items(self, kind: ItemKind | None = None) -> list[TrackedItem]:
        """Return the items of the ledger in the order in which they were first seen."""
        items = [item for item in self.temporary.store.items() if item.account == self.account]
        return sorted((item for item in items if kind in {None, item.item.kind}), key=lambda item: item.id)

    def open_items(self, kind: ItemKind | None = None) -> list[TrackedItem]:
        return [item for item in self.items(kind) if item.item.is_open]

    def count(self, *kinds: ChangeKind, where: Callable[[Change], bool] = lambda _: True) -> int:
        return sum(change.kind in kinds and where(change) for change in self.changes)

    def enter(self, item: TrackedItem, due_on: date, *, done: bool = True) -> None:
        """Enter the date on the letter and, unless told otherwise, that the item is done."""
        self.temporary.store.ledger.set_due(item.id, due_on)
        if done:
            self.temporary.store.ledger.set_done(item.id)
