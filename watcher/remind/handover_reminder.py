"""When to remind a person to hand over an account: at a chosen hour, never at night, at most once a day. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from watcher.clock.quiet_hours import wall_time_to_utc

LATEST: Final = timedelta(hours=2)
"""How long after the chosen hour a reminder may still be sent. A machine that was off then sends it the next day."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handovers:
    """When an account was added, last handed over, and when its person was last reminded.

    Times are aware, in UTC; None stands for never.
    """

    added_at: datetime
    handed_over_at: datetime | None = None
    reminded_at: datetime | None = None

    @property
    def silent_since(self) -> datetime:
        """When the account was last handed over, or added."""
        return self.handed_over_at or self.added_at


def next_reminder(past: Handovers, *, every: timedelta, at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when to remind the person next; `now` if a reminder is due.

    Counted in whole days: after `every` without a hand-over, and again after `every` without an answer. The first one
    comes the day after the account was added. `at` is the time of the day in `zone`.
    """
    days = max(_DAY, timedelta(days=-(-every // _DAY))) if past.handed_over_at or past.reminded_at else _DAY
    last = max(filter(None, (past.silent_since, past.reminded_at)))
    due = wall_time_to_utc(datetime.combine(last.astimezone(zone).date() + days, at), zone)
    return calm_moment(max(due, now), at=at, zone=zone)


def calm_moment(earliest: datetime, *, at: time, zone: ZoneInfo) -> datetime:
    """Return the first moment from `earliest` on at which a person may be reminded."""
    day = earliest.astimezone(zone).date() - _DAY
    while True:
        begins = wall_time_to_utc(datetime.combine(day, at), zone)
        if earliest <= begins + LATEST:
            return max(begins, earliest)
        day += _DAY
