"""Due dates and appointments that come nearer. Pure.

Days are calendar days in the user's zone: with an appointment on Friday, "1d" is Thursday from midnight on. Distances
of a day and more are counted in whole days; a shorter one ("2h") counts from the hour of an appointment, and means the
day itself for a due date. Known is a date since it was first seen, or since the portal last moved it.

Each distance is told once for each date; when several have been reached unnoticed, only the nearest is told, with the
days that are really left. What was seen for the first time when no more than a distance was left is not reminded of at
that distance: the alert of its arrival has just said so, and the next smaller distance is the first. A date that the
user read off the letter has been in no alert, so its nearest distance is told at once. A date that moves begins anew,
since the mark names it: `due 2026-10-01 7d`, `due 2026-10-01 passed`, `start 2026-10-01T09:00:00 1d`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.clock.durations import format_duration, parse_duration
from watcher.clock.quiet_hours import moment
from watcher.clock.timestamps import iso_text
from watcher.model.case import ItemState
from watcher.model.change import Change, ChangeKind, Json, severity_of
from watcher.model.ledger import DueSource, TrackedItem
from watcher.model.reminder import DueReminder, SentReminder

_DAY = timedelta(days=1)
_PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ahead:
    """A date that an item waits for. `at` is the moment itself, None where only the day is known."""

    name: str
    day: date
    at: datetime | None
    over: bool
    source: DueSource | None = None

    @property
    def is_due_date(self) -> bool:
        return self.source is not None


def dates_of(
    item: TrackedItem,
    *,
    deadlines: Sequence[timedelta],
    appointments: Sequence[timedelta],
    zone: ZoneInfo,
    now: datetime,
    marks: Iterable[str],
    by_day: bool = True,
) -> Iterator[DueReminder]:
    """What is to be told now of the dates of this item: of each at most one thing. Nothing unless it is open.

    `marks` are what was told of this item before. Without `by_day`, only distances in hours before the hour of an
    appointment count.
    """
    if item.state is not ItemState.OPEN:
        return
    told = tuple(marks)
    for ahead in (_appointment(item, zone, now), _deadline(item, zone, now)):
        if ahead is None or not (by_day or ahead.at):
            continue
        distances = deadlines if ahead.is_due_date else appointments
        counted = [distance for distance in distances if by_day or distance < _DAY]
        reached = _reached(item, ahead, counted, zone, now)
        if reached is not None and not _was_told(told, ahead, reached):
            yield _reminded(item, ahead, reached, now.astimezone(zone).date())


def _deadline(item: TrackedItem, zone: ZoneInfo, now: datetime) -> _Ahead | None:
    """The due date that counts, unless it is the day of the appointment, which has reminders of its own."""
    if item.due is None:
        return None
    day, source = item.due
    appointment = _appointment(item, zone, now)
    if appointment is not None and appointment.day == day:
        return None
    over = day < now.astimezone(zone).date()
    return _Ahead(name=f"due {day}", day=day, at=None, over=over, source=source)


def _appointment(item: TrackedItem, zone: ZoneInfo, now: datetime) -> _Ahead | None:
    """The appointment; a wall-clock time whose zone the portal does not say is read in the user's."""
    starts_at = item.item.starts_at
    if starts_at is None:
        return None
    name = f"start {iso_text(starts_at)}"
    if not isinstance(starts_at, datetime):
        return _Ahead(name=name, day=starts_at, at=None, over=starts_at < now.astimezone(zone).date())
    at = moment(starts_at, zone) if starts_at.tzinfo is None else starts_at.astimezone(UTC)
    return _Ahead(name=name, day=at.astimezone(zone).date(), at=at, over=at <= now)


def _reached(
    item: TrackedItem, ahead: _Ahead, distances: Sequence[timedelta], zone: ZoneInfo, now: datetime
) -> timedelta | None:
    """The nearest distance that has been reached; nothing at all (a span of 0) once a due date has passed."""
    from_letter = ahead.source is DueSource.LETTER
    known_at = item.date_changed_at or item.first_seen_at
    if ahead.over:
        fresh = ahead.day < known_at.astimezone(zone).date() and not from_letter
        return timedelta() if ahead.is_due_date and not fresh else None
    reached = [
        distance
        for distance in distances
        if _within(ahead, distance, now, zone) and (from_letter or not _within(ahead, distance, known_at, zone))
    ]
    return min(reached, default=None)


def _within(ahead: _Ahead, distance: timedelta, now: datetime, zone: ZoneInfo) -> bool:
    if distance < _DAY and ahead.at is not None:
        return ahead.at - now <= distance
    return (ahead.day - now.astimezone(zone).date()).days <= distance.days


def _was_told(marks: Iterable[str], ahead: _Ahead, reached: timedelta) -> bool:
    """Whether this distance or a nearer one was told of this date."""
    told = (mark.removeprefix(f"{ahead.name} ") for mark in marks if mark.startswith(f"{ahead.name} "))
    return any(rest == _PASSED or parse_duration(rest) <= reached for rest in told)


def _reminded(item: TrackedItem, ahead: _Ahead, reached: timedelta, today: date) -> DueReminder:
    kind = ChangeKind.DEADLINE_NEAR if reached else ChangeKind.DEADLINE_PASSED
    starts_at = None if ahead.is_due_date else item.item.starts_at
    new: dict[str, Json] = {
        "key": item.item.key,
        "kind": item.item.kind.value,
        "title": item.item.title,
        "place": item.item.place,
        "due_on": iso_text(ahead.day) if ahead.is_due_date else None,
        "starts_at": iso_text(starts_at),
        "source": ahead.source and ahead.source.value,
        "days": (ahead.day - today).days,
        "item_id": item.id,
    }
    change = Change(kind=kind, severity=severity_of(kind), case_number=item.case_number, subject=item.item.key, new=new)
    mark = f"{ahead.name} {format_duration(reached) if reached else _PASSED}"
    memory = SentReminder(account=item.account, case_number=item.case_number, subject=item.item.key, mark=mark)
    return DueReminder(account=item.account, case_number=item.case_number, change=change, sent_reminder=memory)
