"""The books that a story is written into: in memory here; the real store fits the same protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from watcher.alerts.routing import route
from watcher.delivery.superseded import ChangeFact, HeldAlert, fact_of, superseded
from watcher.model.alert import AlertContext, HoldReason, Links, RoutedAlert
from watcher.model.case import ItemState, PendingItem, Snapshot
from watcher.model.change import Change, ChangeKind, severity_of
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.model.reminder import SentReminder
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.remind.due_now import due_reminders
from watcher.settings import Settings

ACCOUNT = "family"
NIGHT, DAWN, NOON = 5, 11, 17
LINKS = Links(sign_in="https://portal.example.gov", help="https://portal.example.gov/help")


@dataclass(frozen=True, order=True)
class Line:
    """One message as it left: when, where to, and what it said of which cases (all of them, for a digest)."""

    at: datetime
    channel: str
    said: tuple[str, ...]


class Books(Protocol):
    """What a story needs of the program. Times are aware, UTC, and never go back."""

    def read(self, now: datetime, snapshots: Sequence[Snapshot]) -> None:
        """One good, complete read of the family's account."""
        ...

    def remind(self, now: datetime) -> None:
        """What time has brought."""
        ...

    def deliver(self, now: datetime) -> None:
        """Sends what is due."""
        ...

    def set_done(self, case_number: str, key: str) -> None:
        """The user has dealt with this item."""
        ...

    def set_due(self, case_number: str, key: str, due_on: date) -> None:
        """The user has read this date off the letter."""
        ...

    def lines(self) -> list[Line]:
        """Every message that has left, in the order in which it did."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Queued:
    id: int
    delivery: RoutedAlert
    changes: tuple[Change, ...]

    @property
    def held(self) -> HeldAlert | None:
        hold = self.delivery.hold_reason
        if hold is None:
            return None
        return HeldAlert(id=self.id, hold_reason=hold, facts=tuple(fact_of(ACCOUNT, each) for each in self.changes))


def words(change: Change) -> str:
    """A change in one line: the end of the case number, what happened, and to what."""
    days = f" {change.new['days']}d" if isinstance(change.new, dict) and "days" in change.new else ""
    return f"{(change.case_number or '')[-1:]} {change.kind}{days}"


class BooksInMemory:
    """The pure modules with nothing around them: settle, diff, remind, route and outdated."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._zone = settings, settings.timezone
        self._cases: dict[str, TrackedCase] = {}
        self._told: set[SentReminder] = set()
        self._queue: list[_Queued] = []
        self._sent: list[Line] = []
        self._ids = 0

    def read(self, now: datetime, snapshots: Sequence[Snapshot]) -> None:
        for fresh in snapshots:
            standing = self._cases.get(fresh.case_number)
            before = None if standing is None else standing.snapshot
            after = normalize(before, fresh, vocabulary="uscis")
            changes = diff(before, after, today=now.astimezone(self._zone).date(), vocabulary="uscis")
            self._cases[fresh.case_number] = self._moved(standing, after, changes, now)
            self._tell(changes, now, baseline=before is None)

    def remind(self, now: datetime) -> None:
        settings = self._settings
        found = due_reminders(
            self._cases.values(),
            stall=settings.stall,
            deadlines=settings.deadlines,
            appointments=settings.appointments,
            zone=self._zone,
            now=now,
            sent=self._told,
            include_days=now.astimezone(self._zone).hour >= 8,
        )
        self._told |= {reminded.sent_reminder for reminded in found}
        for number in self._cases:
            self._tell(tuple(each.change for each in found if each.case_number == number), now)

    def deliver(self, now: datetime) -> None:
        ready = [queued for queued in self._queue if queued.delivery.not_before <= now]
        self._queue = [queued for queued in self._queue if queued not in ready]
        digests: dict[tuple[datetime, str], list[str]] = {}
        for queued in ready:
            told, said = queued.delivery, [words(each) for each in queued.changes]
            if told.hold_reason is HoldReason.DIGEST:
                digests.setdefault((told.not_before, told.channel), []).extend(said)
            else:
                self._sent.append(Line(told.not_before, told.channel, tuple(said)))
        self._sent += [Line(at, channel, tuple(said)) for (at, channel), said in digests.items()]

    def set_done(self, case_number: str, key: str) -> None:
        self._mark(case_number, key, ItemState.DONE, None)
        closed = Change(
            kind=ChangeKind.ITEM_CLOSED,
            severity=severity_of(ChangeKind.ITEM_CLOSED),
            case_number=case_number,
            subject=key,
        )
        self._drop_outdated([fact_of(ACCOUNT, closed)], set(self._settings.channels))

    def set_due(self, case_number: str, key: str, due_on: date) -> None:
        self._mark(case_number, key, ItemState.OPEN, due_on)

    def lines(self) -> list[Line]:
        return self._sent

    def _tell(self, changes: tuple[Change, ...], now: datetime, *, baseline: bool = False) -> None:
        if not changes:
            return
        occasion = AlertContext(account=ACCOUNT, portal_title="A portal", links=LINKS, changes=changes)
        for delivery in route(occasion, self._settings.channels, zone=self._zone, now=now, baseline=baseline):
            taken = tuple(changes[place] for place in delivery.changes)
            self._drop_outdated([fact_of(ACCOUNT, each) for each in taken], {delivery.channel})
            self._ids += 1
            self._queue.append(_Queued(id=self._ids, delivery=delivery, changes=taken))

    def _drop_outdated(self, newer: Sequence[ChangeFact], channels: set[str]) -> None:
        held = [each.held for each in self._queue if each.delivery.channel in channels]
        fallen = superseded([alert for alert in held if alert is not None], newer)
        self._queue = [each for each in self._queue if each.id not in fallen]

    def _mark(self, case_number: str, key: str, state: ItemState, due_on: date | None) -> None:
        case = self._cases[case_number]
        items = tuple(
            replace(item, state=state, letter_due_on=due_on or item.letter_due_on) if item.item.key == key else item
            for item in case.items
        )
        self._cases[case_number] = replace(case, items=items)

    def _moved(
        self, standing: TrackedCase | None, after: Snapshot, changes: tuple[Change, ...], now: datetime
    ) -> TrackedCase:
        if standing is None:
            standing = TrackedCase(
                account=ACCOUNT, case_number=after.case_number, snapshot=None, first_seen_at=now, last_read_at=None
            )
        before = standing.snapshot
        if before is None or before.stage is not after.stage:
            told = after.status_since
            standing = replace(standing, stage_since=told or now.date(), stage_since_from_portal=told is not None)
        if any(change.kind is ChangeKind.SILENT_UPDATE for change in changes):
            standing = replace(standing, silent_update_at=now)
        items = self._ledger(standing.items, after, now)
        return replace(standing, snapshot=after, last_read_at=now, items=items)

    def _ledger(self, known: tuple[TrackedItem, ...], after: Snapshot, now: datetime) -> tuple[TrackedItem, ...]:
        shown = {item.key: item for item in after.pending or ()}
        kept = [_as_shown(entry, shown.pop(entry.item.key, None), now) for entry in known]
        new = [
            TrackedItem(
                id=len(kept) + place,
                account=ACCOUNT,
                case_number=after.case_number,
                item=item,
                state=item.state,
                first_seen_at=now,
            )
            for place, item in enumerate(shown.values(), start=1)
        ]
        return (*kept, *new)


def _as_shown(entry: TrackedItem, item: PendingItem | None, now: datetime) -> TrackedItem:
    if item is None:
        return replace(entry, state=ItemState.CLOSED)
    state = ItemState.DONE if entry.state is ItemState.DONE and item.state is ItemState.OPEN else item.state
    moved = (entry.item.due_on, entry.item.starts_at) != (item.due_on, item.starts_at)
    return replace(entry, item=item, state=state, date_changed_at=now if moved else entry.date_changed_at)


def ticks(first: date, last: date, asleep: Sequence[tuple[date, date]]) -> list[datetime]:
    """Every six hours from 05:00 UTC on, but for the days (from, until) on which the machine slept.

    In New York the first of a day is at midnight or one, and the second at six or seven: both sides of the end of a
    night that ends at seven.
    """
    start = datetime(first.year, first.month, first.day, 5, tzinfo=ZoneInfo("UTC"))
    every = [start + timedelta(hours=6 * place) for place in range(((last - first).days + 1) * 4)]
    return [tick for tick in every if not any(begin <= tick.date() < end for begin, end in asleep)]
