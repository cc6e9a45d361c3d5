"""List the reminders that are due: due dates and appointments that come nearer, and stages that do not change. Pure.

Only time causes an account's `blind` change too, but that is part of its health: see `watcher.model.account_health`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from watcher.model.case import ItemKind
from watcher.model.ledger import TrackedCase
from watcher.model.reminder import DueReminder, SentReminder
from watcher.reference.lists import NO_LISTS, ReferenceLists
from watcher.reference.visa_bulletin import Chart
from watcher.remind.date_reminders import date_reminders
from watcher.remind.reference_reminders import chart_subject, inquiry_reminder, priority_reminders
from watcher.remind.stalls import SUBJECT as STAGE
from watcher.remind.stalls import is_stalled, stall_reminder
from watcher.settings import AppointmentSettings, DeadlineSettings, StallSettings

__all__ = ["MORNING", "DueReminder", "SentReminder", "due_reminders", "is_after_morning", "is_stalled"]

MORNING = time(8)
"""In the user's zone. Reminders counted in days are due at midnight; nobody should be woken for them."""


def due_reminders(
    cases: Iterable[TrackedCase],
    *,
    stall: StallSettings,
    deadlines: DeadlineSettings,
    appointments: AppointmentSettings,
    zone: ZoneInfo,
    office_zone: Callable[[str], ZoneInfo] | None = None,
    now: datetime,
    sent: Collection[SentReminder],
    published: Mapping[str, timedelta] | None = None,
    lists: ReferenceLists = NO_LISTS,
    include_days: bool = True,
) -> list[DueReminder]:
    """Return the reminders that are due now, for each case in the given order.

    First those of its dates, the nearest one first, then what published lists say of it, and its stall.
    `now` is aware, `zone` is the user's. `office_zone` returns the zone in which the dates of an account are counted
    (None: `zone`). `sent` are the reminders of the past; a reminder is not due again once its
    `sent_reminder` is among them. `published` are processing times by form (None: `stall.published`), `lists` are
    the published lists. Without `include_days`, only reminders counted in hours are returned; the others stay due. A
    finished case has only those of the user's own dates.
    """
    times = stall.published if published is None else published
    marks = _by_subject(sent)
    reminders: list[DueReminder] = []
    for case in cases:
        office = office_zone(case.account) if office_zone else zone
        dates = list(_dates(case, deadlines.remind, appointments.remind, office, now, marks, include_days=include_days))
        reminders += sorted(dates, key=_days_left)
        if not include_days or case.finished:
            continue
        reminders += _of_lists(case, lists, zone, now, marks)
        of_stage = marks.get((case.account, case.case_number, STAGE), [])
        inquiry = lists.inquiry_standing(case, now.astimezone(zone).date())
        may_ask = inquiry_reminder(case, inquiry, zone=zone, now=now, marks=of_stage)
        stalled = may_ask or stall_reminder(
            case, stall=stall, published=times, zone=zone, now=now, marks=of_stage, inquiry=inquiry
        )
        reminders += [stalled] if stalled else []
    return reminders


def is_after_morning(now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the daemon records reminders counted in days at this time of day. `zone` is the user's."""
    return now.astimezone(zone).time() >= MORNING


_Marks = Mapping[tuple[str, str, str], list[str]]


def _by_subject(sent: Collection[SentReminder]) -> _Marks:
    marks: dict[tuple[str, str, str], list[str]] = {}
    for reminder in sent:
        marks.setdefault((reminder.account, reminder.case_number, reminder.subject), []).append(reminder.mark)
    return marks


def _of_lists(
    case: TrackedCase, lists: ReferenceLists, zone: ZoneInfo, now: datetime, marks: _Marks
) -> Iterator[DueReminder]:
    subjects = map(chart_subject, Chart)
    sent = [
        (subject, mark) for subject in subjects for mark in marks.get((case.account, case.case_number, subject), [])
    ]
    return priority_reminders(case, lists, zone=zone, now=now, marks=sent)


def _dates(
    case: TrackedCase,
    deadlines: tuple[timedelta, ...],
    appointments: tuple[timedelta, ...],
    zone: ZoneInfo,
    now: datetime,
    marks: _Marks,
    *,
    include_days: bool,
) -> Iterator[DueReminder]:
    for item in case.items:
        if case.finished and item.item.kind is not ItemKind.REMINDER:
            continue
        of_item = marks.get((case.account, case.case_number, item.item.key), [])
        yield from date_reminders(
            item,
            deadlines=deadlines,
            appointments=appointments,
            zone=zone,
            now=now,
            marks=of_item,
            include_days=include_days,
        )


def _days_left(reminder: DueReminder) -> tuple[int, str]:
    new = reminder.change.new
    days = new["days"] if isinstance(new, dict) else None
    return (days if isinstance(days, int) else 0, reminder.sent_reminder.subject)
