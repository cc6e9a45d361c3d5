"""Reminders of due dates and appointments. Pure.

Days are calendar days in the zone of the office: for an appointment on Friday, "1d" is reached on Thursday at midnight.
Distances of a day or more are counted in whole days. A shorter one ("2h") is counted from the hour of an appointment;
for a due date it is the day itself.

Each distance causes one reminder for each date. If several were reached since the last time, only the nearest one does,
with the days that are really left. A date that was already within a distance when it became known (first seen, or last
moved by the portal) gets no reminder at that distance, because the alert about it has just been sent; the next smaller
distance is the first. A date that the user entered from a letter was in no alert, so its nearest distance is due at
once. A date of the user's own has one more reminder, on the day, or later if the program did not run on it.

The mark of a reminder names the date, so a date that moves starts over: `due 2026-10-01 7d`,
`due 2026-10-01 passed`, `start 2026-10-01T09:00:00 1d` (with `Z` after the time if the zone is known).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.clock.durations import format_duration, parse_duration
from watcher.clock.timestamps import iso_text
from watcher.language.due_estimates import runs_until
from watcher.model.appointment_time import time_json
from watcher.model.case import ItemState
from watcher.model.change import Change, ChangeKind, Json, severity_of
from watcher.model.ledger import DueSource, TrackedItem
from watcher.model.reminder import DueReminder, SentReminder

_DAY = timedelta(days=1)
_PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Date:
    """A due date or appointment of an item. `at` is the exact moment, None if only the day is known.

    `last_day` is later than `day` if that is an estimate, and the period runs until the next business day.
    """

    name: str
    day: date
    last_day: date
    at: datetime | None
    is_over: bool
    source: DueSource | None = None

    @property
    def is_due_date(self) -> bool:
        return self.source is not None


def date_reminders(
    item: TrackedItem,
    *,
    deadlines: Sequence[timedelta],
    appointments: Sequence[timedelta],
    zone: ZoneInfo,
    now: datetime,
    marks: Iterable[str],
    include_days: bool = True,
) -> Iterator[DueReminder]:
    """Yield the reminders that are due for the dates of this item: at most one for each date, none unless it is open.

    `marks` are those of the reminders that were sent for this item. Without `include_days`, only distances in hours
    before the hour of an appointment count.
    """
    if item.state is not ItemState.OPEN:
        return
    sent_marks = tuple(marks)
    for target in (_appointment(item, zone, now), _deadline(item, zone, now)):
        if target is None or not (include_days or target.at):
            continue
        distances = deadlines if target.is_due_date else appointments
        usable = [distance for distance in distances if include_days or distance < _DAY]
        reached = _reached(item, target, usable, zone, now)
        if reached is not None and not _was_sent(sent_marks, target, reached):
            yield _reminder(item, target, reached, now.astimezone(zone).date())


def hourly_distances_reached_at(
    item: TrackedItem, appointments: Sequence[timedelta], zone: ZoneInfo
) -> Iterator[datetime]:
    """Yield when each distance of less than a day before the item's appointment is reached. Only if it is open."""
    when = item.item.starts_at
    if item.state is ItemState.OPEN and when is not None and (begins_at := when.begins_in(zone)) is not None:
        yield from (begins_at - distance for distance in appointments if distance < _DAY)


def _deadline(item: TrackedItem, zone: ZoneInfo, now: datetime) -> _Date | None:
    """Return the due date that applies, unless it is the day of the appointment, which has its own reminders."""
    if item.due is None:
        return None
    day, source = item.due
    appointment = _appointment(item, zone, now)
    if appointment is not None and appointment.day == day:
        return None
    today = now.astimezone(zone).date()
    last_day = runs_until(item.item.kind, day) if source is DueSource.ESTIMATE else day
    is_over = day <= today if source is DueSource.USER else last_day < today
    return _Date(name=f"due {day}", day=day, last_day=last_day, at=None, is_over=is_over, source=source)


def _appointment(item: TrackedItem, zone: ZoneInfo, now: datetime) -> _Date | None:
    """Return the appointment. A wall-clock time without a zone is interpreted in the zone of the office."""
    when = item.item.starts_at
    if when is None:
        return None
    day, is_over = when.day_in(zone), when.is_over(now, zone)
    return _Date(name=f"start {when}", day=day, last_day=day, at=when.begins_in(zone), is_over=is_over)


def _reached(
    item: TrackedItem, target: _Date, distances: Sequence[timedelta], zone: ZoneInfo, now: datetime
) -> timedelta | None:
    """Return the nearest distance that was reached since the date became known; 0 if a due date has passed."""
    from_letter = target.source is DueSource.LETTER
    known_at = item.date_changed_at or item.first_seen_at
    if target.is_over:
        was_over_when_known = target.last_day < known_at.astimezone(zone).date() and not from_letter
        return timedelta() if target.is_due_date and not was_over_when_known else None
    reached = [
        distance
        for distance in distances
        if _is_within(target, distance, now, zone) and (from_letter or not _is_within(target, distance, known_at, zone))
    ]
    return min(reached, default=None)


def _is_within(target: _Date, distance: timedelta, now: datetime, zone: ZoneInfo) -> bool:
    if distance < _DAY and target.at is not None:
        return target.at - now <= distance
    return (target.day - now.astimezone(zone).date()).days <= distance.days


def _was_sent(marks: Iterable[str], target: _Date, reached: timedelta) -> bool:
    """Return whether a reminder at this distance or a nearer one was sent for this date."""
    distances = (mark.removeprefix(f"{target.name} ") for mark in marks if mark.startswith(f"{target.name} "))
    return any(distance_text == _PASSED or parse_duration(distance_text) <= reached for distance_text in distances)


def _reminder(item: TrackedItem, target: _Date, reached: timedelta, today: date) -> DueReminder:
    kind = ChangeKind.DEADLINE_NEAR if reached else ChangeKind.DEADLINE_PASSED
    if target.source is DueSource.USER:
        kind = ChangeKind.REMINDER
    new: dict[str, Json] = {
        "key": item.item.key,
        "kind": item.item.kind.value,
        "title": item.item.title,
        "place": item.item.place,
        "due_on": iso_text(target.day) if target.is_due_date else None,
        **time_json(None if target.is_due_date else item.item.starts_at),
        "source": target.source and target.source.value,
        "days": ((target.day if target.day >= today else target.last_day) - today).days,
        "item_id": item.id,
    }
    if kind is ChangeKind.REMINDER:
        new["is_overdue"] = target.day < today
    change = Change(kind=kind, severity=severity_of(kind), case_number=item.case_number, subject=item.item.key, new=new)
    mark = f"{target.name} {format_duration(reached) if reached else _PASSED}"
    sent = SentReminder(account=item.account, case_number=item.case_number, subject=item.item.key, mark=mark)
    return DueReminder(account=item.account, case_number=item.case_number, change=change, sent_reminder=sent)
