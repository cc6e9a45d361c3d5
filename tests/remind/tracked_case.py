"""Tracked cases and items, and a store of sent reminders, for the tests of reminders."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from watcher.model.appointment_time import appointment_time
from watcher.model.case import ItemKind, ItemState, PendingItem, Snapshot, Stage
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.model.reminder import DueReminder, SentReminder
from watcher.reference.lists import NO_LISTS
from watcher.remind.due_now import due_reminders
from watcher.settings import AppointmentSettings, DeadlineSettings, StallSettings

NEW_YORK = ZoneInfo("America/New_York")
NUMBER = "IOE0000000001"
SEEN = datetime(2026, 1, 1, 17, tzinfo=UTC)  # noon in New York
NEVER_STALLED = StallSettings(after=timedelta())


def noon(day: date, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)


def item(*, key: str = "rfe-1", kind: ItemKind = ItemKind.RFE, **fields: Any) -> TrackedItem:
    portal_fields = {
        name: fields.pop(name) for name in ("due_on", "due_by_estimate", "starts_at", "place") if name in fields
    }
    if portal_fields.get("starts_at") is not None:
        portal_fields["starts_at"] = appointment_time(portal_fields["starts_at"])
    tracked_fields: dict[str, Any] = {"id": 1, "state": ItemState.OPEN, "first_seen_at": SEEN, **fields}
    pending = PendingItem(
        key=key, kind=kind, title=tracked_fields.pop("title", "Something is asked for"), **portal_fields
    )
    return TrackedItem(account="family", case_number=NUMBER, item=pending, **tracked_fields)


def case(*items: TrackedItem, stage: Stage = Stage.UNDER_REVIEW, **fields: Any) -> TrackedCase:
    portal_fields = {name: fields.pop(name) for name in ("form", "submitted_on") if name in fields}
    snapshot = Snapshot(case_number=NUMBER, stage=stage, **portal_fields)
    tracked_fields: dict[str, Any] = {"snapshot": snapshot, "stage_since": date(2026, 1, 1), **fields}
    return TrackedCase(
        account="family", case_number=NUMBER, first_seen_at=SEEN, last_read_at=SEEN, items=items, **tracked_fields
    )


class SentReminders:
    """The reminders sent so far, as the store has them, and the settings for the next ones."""

    def __init__(
        self, *, zone: ZoneInfo = NEW_YORK, office_zone: ZoneInfo | None = None, stall: StallSettings = NEVER_STALLED
    ) -> None:
        self.zone, self.office_zone, self.stall = zone, office_zone or zone, stall
        self.deadlines, self.appointments = DeadlineSettings(), AppointmentSettings()
        self.sent: set[SentReminder] = set()
        self.lists = NO_LISTS

    def at(self, now: datetime, *cases: TrackedCase) -> list[DueReminder]:
        """Return the reminders that are due now, and count them as sent."""
        due = due_reminders(
            cases,
            stall=self.stall,
            deadlines=self.deadlines,
            appointments=self.appointments,
            zone=self.zone,
            office_zone=lambda _: self.office_zone,
            now=now,
            sent=frozenset(self.sent),
            lists=self.lists,
        )
        self.sent |= {reminder.sent_reminder for reminder in due}
        return due

    def days(self, tracked: TrackedCase, days: Iterable[date]) -> list[tuple[str, str]]:
        """Return the reminders at noon of each of these days, as pairs of day and mark."""
        return [
            (day.isoformat(), reminder.sent_reminder.mark)
            for day in days
            for reminder in self.at(noon(day, self.zone), tracked)
        ]


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=days) for days in range((last - first).days + 1)]


def content_of(reminder: DueReminder) -> dict[str, Any]:
    new = reminder.change.new
    assert isinstance(new, dict)
    return dict(new)
