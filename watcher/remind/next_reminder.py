"""When the next change that only time causes will be due, by the rules that find those that are due now. Pure.

What the rules of reminders give can only begin at certain moments: when `MORNING` comes for the user, when a day begins
at an office in another zone, and at a distance in hours before an appointment. So they are evaluated at those moments,
in order, until they give something: at three or four moments for all cases, and for one case at each of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from watcher.clock.first_moment import first_moment
from watcher.clock.quiet_hours import wall_time_to_utc
from watcher.model.account_health import AccountHealth, check_blindness
from watcher.model.ledger import TrackedCase
from watcher.model.overdue_check import is_overdue
from watcher.model.reminder import SentReminder
from watcher.reference.lists import NO_LISTS, ReferenceLists
from watcher.remind.date_reminders import hourly_distances_reached_at
from watcher.remind.due_now import MORNING, due_reminders, is_after_morning
from watcher.settings import Settings

_DAY = timedelta(days=1)

_Turn = tuple[datetime, Sequence[TrackedCase]]
"""A moment at which a reminder of these cases can begin to be due."""


def next_reminder(
    cases: Sequence[TrackedCase],
    *,
    settings: Settings,
    sent: Collection[SentReminder],
    now: datetime,
    until: datetime,
    lists: ReferenceLists = NO_LISTS,
) -> datetime | None:
    """Return when the first reminder is due, from `now` to `until`; None if none is due by then.

    Before `MORNING`, only reminders counted in hours are due. `now` and `until` are aware, UTC; `sent` are the
    reminders of the past, `lists` the published lists.
    """
    own: dict[tuple[str, str], list[SentReminder]] = defaultdict(list)
    for reminder in sent:
        own[reminder.account, reminder.case_number].append(reminder)

    def is_due(case: TrackedCase, at: datetime) -> bool:
        reminders = due_reminders(
            [case],
            stall=settings.stall,
            deadlines=settings.deadlines,
            appointments=settings.appointments,
            zone=settings.timezone,
            office_zone=settings.office_zone,
            now=at,
            sent=own[case.account, case.case_number],
            lists=lists,
            include_days=is_after_morning(at, settings.timezone),
        )
        return bool(reminders)

    later = [turn for turn in (*_days(cases, settings, now, until), *_hours(cases, settings)) if now < turn[0] <= until]
    turns: list[_Turn] = [(now, cases), *sorted(later, key=itemgetter(0))]
    return next((at for at, concerned in turns if any(is_due(case, at) for case in concerned)), None)


def next_blindness(
    accounts: Iterable[tuple[AccountHealth, datetime | None]],
    *,
    blind_after: timedelta,
    now: datetime,
    until: datetime,
) -> datetime | None:
    """Return when the first account is to be reported as blind, as `next_reminder` does.

    `accounts` are the health of each and the time of its next check. Checks that are overdue count as failing: the one
    under way hangs.
    """
    stored = tuple(accounts)

    def is_due(at: datetime) -> bool:
        return any(
            check_blindness(
                health, now=at, blind_after=blind_after, hangs=is_overdue(planned, now=at, blind_after=blind_after)
            )[1]
            for health, planned in stored
        )

    return first_moment(is_due, now, until)


def _days(cases: Sequence[TrackedCase], settings: Settings, now: datetime, until: datetime) -> Iterator[_Turn]:
    """Yield the moments at which a day begins: for the user in the morning, at an office at midnight."""
    for at in _wall_times(MORNING, settings.timezone, now, until):
        yield at, cases
    for zone, concerned in _by_office_zone(cases, settings).items():
        for at in _wall_times(time(), zone, now, until):
            if is_after_morning(at, settings.timezone):
                yield at, concerned


def _by_office_zone(cases: Iterable[TrackedCase], settings: Settings) -> Mapping[ZoneInfo, Sequence[TrackedCase]]:
    by_zone: dict[ZoneInfo, list[TrackedCase]] = defaultdict(list)
    for case in cases:
        by_zone[settings.office_zone(case.account)].append(case)
    return by_zone


def _wall_times(wall: time, zone: ZoneInfo, now: datetime, until: datetime) -> Iterator[datetime]:
    """Yield when the clocks of `zone` show this time, the first time if they are set back, on each of these days."""
    day = now.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        yield wall_time_to_utc(datetime.combine(day, wall), zone)
        day += _DAY


def _hours(cases: Iterable[TrackedCase], settings: Settings) -> Iterator[_Turn]:
    """Yield the moments at which an appointment of a case comes within a distance in hours."""
    for case in cases:
        zone = settings.office_zone(case.account)
        for item in case.items:
            for at in hourly_distances_reached_at(item, settings.appointments.remind, zone):
                yield at, (case,)
