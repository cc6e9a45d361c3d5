"""What time alone brings: due dates and appointments that come nearer, stages that stand still. Pure.

Blindness is time's doing too, but belongs to an account: see `watcher.health`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.model.ledger import TrackedCase
from watcher.model.reminder import DueReminder, SentReminder
from watcher.remind.date_reminders import dates_of
from watcher.remind.stalls import SUBJECT as STAGE
from watcher.remind.stalls import is_stalled, stall_of
from watcher.settings import AppointmentSettings, DeadlineSettings, StallSettings

__all__ = ["DueReminder", "SentReminder", "due", "is_stalled"]


def due(
    cases: Iterable[TrackedCase],
    *,
    stall: StallSettings,
    deadlines: DeadlineSettings,
    appointments: AppointmentSettings,
    zone: ZoneInfo,
    now: datetime,
    told: Collection[SentReminder],
    published: Mapping[str, timedelta] | None = None,
    by_day: bool = True,
) -> list[DueReminder]:
    """What is to be told now, case by case in the order given: first its dates, soonest first, then its stall.

    `now` is aware, `zone` the user's. `told` is what was told before; telling a `DueReminder` and keeping its `mark`
    make it not come again. `published` holds the processing times by form, `stall.published` where it is None. Without
    `by_day`, only what is counted in hours is told; what is counted in days waits until it is asked for.
    """
    times = stall.published if published is None else published
    marks = _by_subject(told)
    found: list[DueReminder] = []
    for case in cases:
        dates = list(_dates(case, deadlines.remind, appointments.remind, zone, now, marks, by_day=by_day))
        found += sorted(dates, key=_soonest)
        if not by_day:
            continue
        of_stage = marks.get((case.account, case.case_number, STAGE), [])
        stalled = stall_of(case, stall=stall, published=times, zone=zone, now=now, marks=of_stage)
        found += [stalled] if stalled else []
    return found


_Marks = Mapping[tuple[str, str, str], list[str]]


def _by_subject(told: Collection[SentReminder]) -> _Marks:
    marks: dict[tuple[str, str, str], list[str]] = {}
    for reminder in told:
        marks.setdefault((reminder.account, reminder.case_number, reminder.subject), []).append(reminder.mark)
    return marks


def _dates(
    case: TrackedCase,
    deadlines: tuple[timedelta, ...],
    appointments: tuple[timedelta, ...],
    zone: ZoneInfo,
    now: datetime,
    marks: _Marks,
    *,
    by_day: bool,
) -> Iterator[DueReminder]:
    for item in case.items:
        of_item = marks.get((case.account, case.case_number, item.item.key), [])
        yield from dates_of(
            item,
            deadlines=deadlines,
            appointments=appointments,
            zone=zone,
            now=now,
            marks=of_item,
            by_day=by_day,
        )


def _soonest(reminded: DueReminder) -> tuple[int, str]:
    new = reminded.change.new
    days = new["days"] if isinstance(new, dict) else None
    return (days if isinstance(days, int) else 0, reminded.sent_reminder.subject)
