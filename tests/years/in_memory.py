"""A program for the simulation, built from the pure modules only, and the protocol that it shares with the real one."""

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
class Message:
    """One delivered message: its time, channel, and changes (for a digest, those of all its alerts)."""

    at: datetime
    channel: str
    contents: tuple[str, ...]


class Program(Protocol):
    """What the simulation calls. Times are aware, in UTC, and never go back."""

    def check(self, now: datetime, snapshots: Sequence[Snapshot]) -> None:
        """Record a complete check of the family's account."""
        ...

    def record_time_reminders(self, now: datetime) -> None:
        """Record the changes that only time causes."""
        ...

    def deliver(self, now: datetime) -> None:
        """Send the alerts that are due."""
        ...

    def set_done(self, case_number: str, key: str) -> None:
        """Mark an item as done by the user."""
        ...

    def set_due(self, case_number: str, key: str, due_on: date) -> None:
        """Set the due date that the user read in the letter."""
        ...

    def messages(self) -> list[Message]:
        """Return every message in the order of delivery."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Queued:
    id: int
    routed: RoutedAlert
    changes: tuple[Change, ...]

    @property
    def held(self) -> HeldAlert | None:
        hold = self.routed.hold_reason
        if hold is None:
            return None
        return HeldAlert(id=self.id, hold_reason=hold, facts=tuple(fact_of(ACCOUNT, change) for change in self.changes))


def describe(change: Change) -> str:
    """Return a change in one line: the end of the case number, the kind, and the days left."""
    days = f" {change.new['days']}d" if isinstance(change.new, dict) and "days" in change.new else ""
    return f"{(change.case_number or '')[-1:]} {change.kind}{days}"


class InMemoryProgram:
    """A program in memory, from the pure modules: normalize, diff, remind, route, and superseded."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._zone = settings, settings.timezone
        self._cases: dict[str, TrackedCase] = {}
        self._reminders: set[SentReminder] = set()
        self._queue: list[_Queued] = []
        self._sent: list[Message] = []
        self._ids = 0

    def check(self, now: datetime, snapshots: Sequence[Snapshot]) -> None:
        for fresh in snapshots:
            tracked = self._cases.get(fresh.case_number)
            before = None if tracked is None else tracked.snapshot
            after = normalize(before, fresh, vocabulary="uscis")
            changes = diff(before, after, today=now.astimezone(self._zone).date(), vocabulary="uscis")
            self._cases[fresh.case_number] = self._tracked_after(tracked, after, changes, now)
            self._queue_alerts(changes, now, baseline=before is None)

    def record_time_reminders(self, now: datetime) -> None:
        settings = self._settings
        reminders = due_reminders(
            self._cases.values(),
            stall=settings.stall,
            deadlines=settings.deadlines,
            appointments=settings.appointments,
            zone=self._zone,
            now=now,
            sent=self._reminders,
            include_days=now.astimezone(self._zone).hour >= 8,
        )
        self._reminders |= {reminder.sent_reminder for reminder in reminders}
        for number in self._cases:
            self._queue_alerts(tuple(reminder.change for reminder in reminders if reminder.case_number == number), now)

    def deliver(self, now: datetime) -> None:
        ready = [queued for queued in self._queue if queued.routed.not_before <= now]
        self._queue = [queued for queued in self._queue if queued not in ready]
        digests: dict[tuple[datetime, str], list[str]] = {}
        for queued in ready:
            alert, contents = queued.routed, [describe(change) for change in queued.changes]
            if alert.hold_reason is HoldReason.DIGEST:
                digests.setdefault((alert.not_before, alert.channel), []).extend(contents)
            else:
                self._sent.append(Message(alert.not_before, alert.channel, tuple(contents)))
        self._sent += [Message(at, channel, tuple(contents)) for (at, channel), contents in digests.items()]

    def set_done(self, case_number: str, key: str) -> None:
        self._mark(case_number, key, ItemState.DONE, None)
        closed = Change(
            kind=ChangeKind.ITEM_CLOSED,
            severity=severity_of(ChangeKind.ITEM_CLOSED),
            case_number=case_number,
            subject=key,
        )
        self._drop_superseded([fact_of(ACCOUNT, closed)], set(self._settings.channels))

    def set_due(self, case_number: str, key: str, due_on: date) -> None:
        self._mark(case_number, key, ItemState.OPEN, due_on)

    def messages(self) -> list[Message]:
        return self._sent

    def _queue_alerts(self, changes: tuple[Change, ...], now: datetime, *, baseline: bool = False) -> None:
        if not changes:
            return
        context = AlertContext(account=ACCOUNT, portal_title="A portal", links=LINKS, changes=changes)
        for routed in route(context, self._settings.channels, zone=self._zone, now=now, baseline=baseline):
            alert_changes = tuple(changes[index] for index in routed.changes)
            self._drop_superseded([fact_of(ACCOUNT, change) for change in alert_changes], {routed.channel})
            self._ids += 1
            self._queue.append(_Queued(id=self._ids, routed=routed, changes=alert_changes))

    def _drop_superseded(self, newer: Sequence[ChangeFact], channels: set[str]) -> None:
        held = [queued.held for queued in self._queue if queued.routed.channel in channels]
        dropped = superseded([alert for alert in held if alert is not None], newer)
        self._queue = [queued for queued in self._queue if queued.id not in dropped]

    def _mark(self, case_number: str, key: str, state: ItemState, due_on: date | None) -> None:
        case = self._cases[case_number]
        items = tuple(
            replace(item, state=state, letter_due_on=due_on or item.letter_due_on) if item.item.key == key else item
            for item in case.items
        )
        self._cases[case_number] = replace(case, items=items)

    def _tracked_after(
        self, tracked: TrackedCase | None, after: Snapshot, changes: tuple[Change, ...], now: datetime
    ) -> TrackedCase:
        if tracked is None:
            tracked = TrackedCase(
                account=ACCOUNT, case_number=after.case_number, snapshot=None, first_seen_at=now, last_read_at=None
            )
        before = tracked.snapshot
        if before is None or before.stage is not after.stage:
            since = after.status_since
            tracked = replace(tracked, stage_since=since or now.date(), stage_since_from_portal=since is not None)
        if any(change.kind is ChangeKind.SILENT_UPDATE for change in changes):
            tracked = replace(tracked, silent_update_at=now)
        items = self._items_after(tracked.items, after, now)
        return replace(tracked, snapshot=after, last_read_at=now, items=items)

    def _items_after(self, known: tuple[TrackedItem, ...], after: Snapshot, now: datetime) -> tuple[TrackedItem, ...]:
        current = {item.key: item for item in after.pending or ()}
        known_items = [_item_after(entry, current.pop(entry.item.key, None), now) for entry in known]
        new = [
            TrackedItem(
                id=len(known_items) + index,
                account=ACCOUNT,
                case_number=after.case_number,
                item=item,
                state=item.state,
                first_seen_at=now,
            )
            for index, item in enumerate(current.values(), start=1)
        ]
        return (*known_items, *new)


def _item_after(entry: TrackedItem, item: PendingItem | None, now: datetime) -> TrackedItem:
    if item is None:
        return replace(entry, state=ItemState.CLOSED)
    state = ItemState.DONE if entry.state is ItemState.DONE and item.state is ItemState.OPEN else item.state
    date_changed = (entry.item.due_on, entry.item.starts_at) != (item.due_on, item.starts_at)
    return replace(entry, item=item, state=state, date_changed_at=now if date_changed else entry.date_changed_at)


def check_times(first: date, last: date, downtimes: Sequence[tuple[date, date]]) -> list[datetime]:
    """Return every six hours from 05:00 UTC on, except on the days (from, until) of a downtime.

    In New York the first of a day is at midnight or one, the second at six or seven: before and after the end of quiet
    hours that end at seven.
    """
    start = datetime(first.year, first.month, first.day, 5, tzinfo=ZoneInfo("UTC"))
    times = [start + timedelta(hours=6 * index) for index in range(((last - first).days + 1) * 4)]
    return [time for time in times if not any(begin <= time.date() < end for begin, end in downtimes)]
