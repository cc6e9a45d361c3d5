"""When a channel may disturb: quiet hours and digests, in the user's own time zone. Pure.

Both are kept as wall-clock times and turned into moments only here, because a night is 23, 24 or 25 hours long. Where
the clocks go back, a night begins at the first and ends at the second of two equal times: one unbroken night, never a
gap of an hour in the middle. Where they go forward, a time that does not exist is the moment at which they jump.
Time zones and their changes are those of the IANA database (`zoneinfo`).
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until `end`, every day; across midnight where `end` is the earlier of the two."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Reads "22:00-07:00". Raises ValueError, whose message says what would be right."""
        found = re.fullmatch(rf"\s*{_TIME}\s*-\s*{_TIME}\s*", text)
        if found is None:
            raise ValueError(f'{text!r} are no quiet hours; write when they begin and end, such as "22:00-07:00"')
        start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        if start == end:
            raise ValueError(f"{text!r} begin and end at the same time; leave them empty for none")
        return cls(start, end)

    def ends_after(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that hold at `now` end, in UTC; None where `now` is not within any."""
        end = self._end_of_night(now, zone)
        if end is None:
            return None
        # Where the clocks go back, two nights with only minutes between them can meet.
        while (later := self._end_of_night(end, zone)) is not None:
            end = later
        return end

    def _end_of_night(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        today = now.astimezone(zone).date()
        for day in (today - _DAY, today, today + _DAY):
            start = moment(datetime.combine(day, self.start), zone)
            last_day = day if self.start < self.end else day + _DAY
            end = moment(datetime.combine(last_day, self.end), zone, second=True)
            if start <= now < end:
                return end
        return None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Digest:
    """Once a day at `at`, or once a week on `weekday` (0 is Monday)."""

    at: time
    weekday: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Reads "daily 08:00" or "weekly mon 08:00". Raises ValueError, whose message says what would be right."""
        found = re.fullmatch(rf"\s*(?:daily|weekly\s+({'|'.join(_WEEKDAYS)}))\s+{_TIME}\s*", text.lower())
        if found is None:
            raise ValueError(f'{text!r} is no digest; write "daily 08:00" or "weekly mon 08:00"')
        weekday = _WEEKDAYS.index(found[1]) if found[1] else None
        return cls(time(int(found[2]), int(found[3])), weekday)

    def next_after(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first digest that is due after `now` (never at `now` itself), in UTC."""
        day = now.astimezone(zone).date() - _DAY
        while True:
            due = moment(datetime.combine(day, self.at), zone)
            if due > now and self.weekday in {None, day.weekday()}:
                return due
            day += _DAY

    def __str__(self) -> str:
        often = "daily" if self.weekday is None else f"weekly {_WEEKDAYS[self.weekday]}"
        return f"{often} {self.at:%H:%M}"


def moment(wall: datetime, zone: ZoneInfo, *, second: bool = False) -> datetime:
    """The moment, in UTC, at which a clock in `zone` shows the naive time `wall`.

    Of two such moments it is the first, or the `second`; where there is none, it is when the clocks jump over it.
    """
    found = wall.replace(tzinfo=zone, fold=int(second)).astimezone(UTC)
    if _shown(found, zone) == wall:
        return found
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    seconds = range(int((after - before).total_seconds()))
    jump = bisect_left(seconds, True, key=lambda passed: _shown(before + timedelta(seconds=passed), zone) >= wall)
    return before + timedelta(seconds=jump)


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)
