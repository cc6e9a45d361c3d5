"""A case in the books, as the tests of reminders need it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from watcher.model.case import ItemKind, ItemState, PendingItem, Snapshot, Stage
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.model.reminder import DueReminder, SentReminder
from watcher.remind.due_now import due_reminders
from watcher.settings import AppointmentSettings, DeadlineSettings, StallSettings

NEW_YORK = ZoneInfo("America/New_York")
NUMBER = "IOE0000000001"
SEEN = datetime(2026, 1, 1, 17, tzinfo=UTC)  # noon in New York
NEVER_STALLED = StallSettings(after=timedelta())


def noon(day: date, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)


def item(*, key: str = "rfe-1", kind: ItemKind = ItemKind.RFE, **more: Any) -> TrackedItem:
    of_portal = {name: more.pop(name) for name in ("due_on", "due_by_estimate", "starts_at", "place") if name in more}
    known: dict[str, Any] = {"id": 1, "state": ItemState.OPEN, "first_seen_at": SEEN, **more}
    pending = PendingItem(key=key, kind=kind, title=known.pop("title", "Something is asked for"), **of_portal)
    return TrackedItem(account="family", case_number=NUMBER, item=pending, **known)


def case(*items: TrackedItem, stage: Stage = Stage.UNDER_REVIEW, **more: Any) -> TrackedCase:
    of_portal = {name: more.pop(name) for name in ("form", "submitted_on") if name in more}
    snapshot = Snapshot(case_number=NUMBER, stage=stage, **of_portal)
    known: dict[str, Any] = {"snapshot": snapshot, "stage_since": date(2026, 1, 1), **more}
    return TrackedCase(
        account="family", case_number=NUMBER, first_seen_at=SEEN, last_read_at=SEEN, items=items, **known
    )


class Memory:
    """What was told, as the store keeps it, and the settings that it is told by."""

    def __init__(self, *, zone: ZoneInfo = NEW_YORK, stall: StallSettings = NEVER_STALLED) -> None:
        self.zone, self.stall = zone, stall
        self.deadlines, self.appointments = DeadlineSettings(), AppointmentSettings()
        self.told: set[SentReminder] = set()

    def at(self, now: datetime, *cases: TrackedCase) -> list[DueReminder]:
        """What is told now; it is kept."""
        found = due_reminders(
            cases,
            stall=self.stall,
            deadlines=self.deadlines,
            appointments=self.appointments,
            zone=self.zone,
            now=now,
            sent=frozenset(self.told),
        )
        self.told |= {reminded.sent_reminder for reminded in found}
        return found

    def days(self, standing: TrackedCase, days: Iterable[date]) -> list[tuple[str, str]]:
        """What is told at noon of each of these days: the day and the mark."""
        return [
            (day.isoformat(), reminded.sent_reminder.mark)
            for day in days
            for reminded in self.at(noon(day, self.zone), standing)
        ]


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=passed) for passed in range((last - first).days + 1)]


def said(reminded: DueReminder) -> dict[str, Any]:
    new = reminded.change.new
    assert isinstance(new, dict)
    return dict(new)
