"""Quiet hours and digests of a channel, in the user's own time zone. Pure.

Both are wall-clock times and are converted to moments only here, because a day has 23, 24, or 25 hours. When clocks go
back, quiet hours begin at the first and end at the second of two equal times, so there is no gap in the middle. When
they go forward, a time that does not exist stands for the moment of the jump. Time zones are those of the IANA database
(`zoneinfo`).
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watcher.messages import _

_DAY = timedelta(days=1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"


def parse_day_time(text: str) -> time:
    """Parse "18:00". Raises ValueError; the message says what is right."""
    match = re.fullmatch(rf"\s*{_TIME}\s*", text)
    if match is None:
        raise ValueError(_('{text!r} is not a time of the day; use one such as "18:00"', text=text))
    return time(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Quiet hours from `start` until `end`, every day; across midnight if `end` is the earlier one."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Parse "22:00-07:00". Raises ValueError; the message says what is right."""
        match = re.fullmatch(rf"\s*{_TIME}\s*-\s*{_TIME}\s*", text)
        if match is None:
            raise ValueError(_('{text!r} is not a time span; use a start and an end, such as "22:00-07:00"', text=text))
        start, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
        if start == end:
            raise ValueError(_('{text!r} starts and ends at the same time; use "" for no quiet hours', text=text))
        return cls(start, end)

    def ends_after(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the quiet hours that apply at `now` end, in UTC; None if none apply."""
        end = self._end_of_interval(now, zone)
        if end is None:
            return None
        # When clocks go back, quiet hours that are only minutes apart can overlap.
        while (later := self._end_of_interval(end, zone)) is not None:
            end = later
        return end

    def include(self, at: time) -> bool:
        """Return whether this time of the day is within the quiet hours."""
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def _end_of_interval(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        today = now.astimezone(zone).date()
        for day in (today - _DAY, today, today + _DAY):
            start = wall_time_to_utc(datetime.combine(day, self.start), zone)
            last_day = day if self.start < self.end else day + _DAY
            end = wall_time_to_utc(datetime.combine(last_day, self.end), zone, later=True)
            if start <= now < end:
                return end
        return None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest once a day at `at`, or once a week on `weekday` (0 is Monday)."""

    at: time
    weekday: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Parse "daily 08:00" or "weekly mon 08:00". Raises ValueError; the message says what is right."""
        match = re.fullmatch(rf"\s*(?:daily|weekly\s+({'|'.join(_WEEKDAYS)}))\s+{_TIME}\s*", text.lower())
        if match is None:
            raise ValueError(_('{text!r} is not a digest; use "daily 08:00" or "weekly mon 08:00"', text=text))
        weekday = _WEEKDAYS.index(match[1]) if match[1] else None
        return cls(time(int(match[2]), int(match[3])), weekday)

    def next_after(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Return when the first digest after `now` (never at `now` itself) is due, in UTC."""
        day = now.astimezone(zone).date() - _DAY
        while True:
            due = wall_time_to_utc(datetime.combine(day, self.at), zone)
            if due > now and self.weekday in {None, day.weekday()}:
                return due
            day += _DAY

    def __str__(self) -> str:
        frequency = "daily" if self.weekday is None else f"weekly {_WEEKDAYS[self.weekday]}"
        return f"{frequency} {self.at:%H:%M}"


def wall_time_to_utc(wall: datetime, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """Return the moment, in UTC, at which a clock in `zone` shows the naive time `wall`.

    If there are two, return the first or, with `later`, the second. If there is none, return when the clocks jump.
    """
    moment = wall.replace(tzinfo=zone, fold=int(later)).astimezone(UTC)
    if _wall_time(moment, zone) == wall:
        return moment
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    seconds = range(int((after - before).total_seconds()))
    jump = bisect_left(seconds, True, key=lambda elapsed: _wall_time(before + timedelta(seconds=elapsed), zone) >= wall)
    return before + timedelta(seconds=jump)


def _wall_time(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)
