"""A program for the simulation, built from the pure modules only, and the protocol that it shares with the real one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from watcher.alerts.routing import route, route_to_all, routing_severity
from watcher.delivery.superseded import ChangeFact, ChannelAlert, fact_of, is_over, superseded
from watcher.model.alert import AlertContext, HoldReason, Links, RoutedAlert
from watcher.model.case import ItemState, PendingItem, Snapshot
from watcher.model.change import Change, ChangeKind, Severity
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.model.reminder import SentReminder
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize
from watcher.remind.due_now import due_reminders
from watcher.settings import Settings

ACCOUNT = "family"
_REMINDERS = {ChangeKind.DEADLINE_NEAR, ChangeKind.DEADLINE_PASSED}
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
    """An alert in the queue. `recorded` is how many changes had been recorded with those of the alert."""

    id: int
    routed: RoutedAlert
    changes: tuple[Change, ...]
    recorded: int

    def on_channel(self, hold_reason: HoldReason | None) -> ChannelAlert:
        severities = (self.routed.severity, *map(routing_severity, self.changes))
        return ChannelAlert(
            id=self.id,
            severity=max(severities, key=lambda severity: severity.rank),
            facts=tuple(fact_of(ACCOUNT, change) for change in self.changes),
            hold_reason=hold_reason,
        )


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
        self._accepted: dict[str, list[ChannelAlert]] = {name: [] for name in settings.channels}
        self._history: list[ChangeFact] = []
        self._ids = 0

    def check(self, now: datetime, snapshots: Sequence[Snapshot]) -> None:
        added: list[Change] = []
        is_first = not self._cases
        for fresh in snapshots:
            tracked = self._cases.get(fresh.case_number)
            before = None if tracked is None else tracked.snapshot
            after = normalize(before, fresh, vocabulary="uscis")
            changes = diff(before, after, now=now, zone=self._zone, vocabulary="uscis")
            self._cases[fresh.case_number] = self._tracked_after(tracked, after, changes, now)
            if is_first:
                added += [change for change in changes if change.kind is ChangeKind.CASE_ADDED]
                changes = tuple(change for change in changes if change.kind is not ChangeKind.CASE_ADDED)
            self._queue_alerts(changes, now, baseline=before is None)
        if added:
            self._queue_first_contact(tuple(added), now)

    def _queue_first_contact(self, added: tuple[Change, ...], now: datetime) -> None:
        for routed in route_to_all(self._settings.channels, zone=self._zone, now=now):
            self._ids += 1
            self._queue.append(_Queued(id=self._ids, routed=routed, changes=added, recorded=len(self._history)))

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
        self._queue = [queued for queued in self._queue if queued.routed.not_before > now]
        ready = self._still_true(ready)
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
        self._queue = [queued for queued in self._queue if not _is_done(queued, case_number, key)]

    def set_due(self, case_number: str, key: str, due_on: date) -> None:
        self._mark(case_number, key, ItemState.OPEN, due_on)

    def messages(self) -> list[Message]:
        return self._sent

    def _queue_alerts(self, changes: tuple[Change, ...], now: datetime, *, baseline: bool = False) -> None:
        if not changes:
            return
        self._history += [fact_of(ACCOUNT, change) for change in changes]
        context = AlertContext(account=ACCOUNT, portal_title="A portal", links=LINKS, changes=changes)
        for routed in route(context, self._settings.channels, zone=self._zone, now=now, baseline=baseline):
            alert_changes = tuple(changes[index] for index in routed.changes)
            self._ids += 1
            self._queue.append(_Queued(id=self._ids, routed=routed, changes=alert_changes, recorded=len(self._history)))

    def _still_true(self, ready: Sequence[_Queued]) -> list[_Queued]:
        """Return the alerts without those that later ones made untrue, channel by channel."""
        ready = [queued for queued in ready if not self._is_over(queued)]
        dropped: set[int] = set()
        for name, accepted in self._accepted.items():
            now = [queued for queued in ready if queued.routed.channel == name]
            alerts = [queued.on_channel(queued.routed.hold_reason) for queued in now]
            oldest = min((alert.id for alert in alerts), default=0)
            dropped |= superseded([*alerts, *(alert for alert in accepted if alert.id > oldest)]).keys()
            accepted += [queued.on_channel(None) for queued in now if queued.id not in dropped]
        return [queued for queued in ready if queued.id not in dropped]

    def _is_over(self, queued: _Queued) -> bool:
        urgent = [fact_of(ACCOUNT, change) for change in queued.changes if change.severity is Severity.URGENT]
        is_escalation = queued.routed.hold_reason is HoldReason.ESCALATION
        return is_escalation and is_over(urgent, self._history[queued.recorded :])

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


def _is_done(queued: _Queued, case_number: str, key: str) -> bool:
    """Return whether the user has dealt with what the alert only reminds of, or escalates."""
    about = [change for change in queued.changes if (change.case_number, change.subject) == (case_number, key)]
    if queued.routed.hold_reason is HoldReason.ESCALATION:
        return bool(about)
    only = len(about) == len(queued.changes) and {change.kind for change in about} <= _REMINDERS
    return only and queued.routed.hold_reason is not None


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
