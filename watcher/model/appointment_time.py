"""When an appointment is: a moment, a wall-clock time without a zone, or a day. Three types that cannot be mixed up.

Portals that know only the day write it as midnight on the clock of the stamp (`2026-07-09T00:00:00Z`). No office gives
appointments at midnight, so such a stamp is a day, and it is never converted to another zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeAlias
from zoneinfo import ZoneInfo

from watcher.clock.quiet_hours import wall_time_to_utc
from watcher.clock.timestamps import utc_text


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that the portal stamped with a zone. `at` is aware, in UTC, to the second."""

    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a moment has a zone")
        object.__setattr__(self, "at", self.at.astimezone(UTC).replace(microsecond=0))

    def day_in(self, zone: ZoneInfo) -> date:
        """Return the day on the calendar of `zone`."""
        return self.at.astimezone(zone).date()

    def begins_in(self, zone: ZoneInfo) -> datetime:  # noqa: ARG002 - the same in every zone
        """Return the moment itself, in UTC."""
        return self.at

    def is_over(self, now: datetime, zone: ZoneInfo) -> bool:  # noqa: ARG002 - the same in every zone
        """Return whether the moment has come. `now` is aware."""
        return self.at <= now

    def __str__(self) -> str:
        return utc_text(self.at)


@dataclass(frozen=True, slots=True)
class WallTime:
    """What the clock at the office shows, where the portal states no zone. `at` is naive. Never shown converted."""

    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is not None:
            raise ValueError("a wall-clock time has no zone")

    def day_in(self, zone: ZoneInfo) -> date:  # noqa: ARG002 - the same in every zone
        """Return the day."""
        return self.at.date()

    def begins_in(self, zone: ZoneInfo) -> datetime:
        """Return the moment, in UTC, if the office is in `zone`; for reminders, not for showing."""
        return wall_time_to_utc(self.at, zone)

    def is_over(self, now: datetime, zone: ZoneInfo) -> bool:
        """Return whether this time has come in `zone`. `now` is aware."""
        return self.begins_in(zone) <= now

    def __str__(self) -> str:
        return self.at.isoformat()


@dataclass(frozen=True, slots=True)
class Day:
    """A day without a time. It is over when it ends at the office."""

    day: date

    def __post_init__(self) -> None:
        if isinstance(self.day, datetime):
            raise TypeError("a day has no time")

    def day_in(self, zone: ZoneInfo) -> date:  # noqa: ARG002 - the same in every zone
        """Return the day."""
        return self.day

    def begins_in(self, zone: ZoneInfo) -> None:
        """Return None: the hour is not known."""

    def is_over(self, now: datetime, zone: ZoneInfo) -> bool:
        """Return whether the day has ended in `zone`. `now` is aware."""
        return self.day < now.astimezone(zone).date()

    def __str__(self) -> str:
        return self.day.isoformat()


AppointmentTime: TypeAlias = Moment | WallTime | Day


def appointment_time(stamp: date) -> AppointmentTime:
    """Return the time of an appointment for a portal's stamp: an aware or naive `datetime`, or a `date`.

    Years 1 and 9999 are placeholders. They cannot be converted to every zone, so only their day is kept.
    """
    if not isinstance(stamp, datetime):
        return Day(stamp)
    if stamp.time() == time() or stamp.year in {date.min.year, date.max.year}:
        return Day(stamp.date())
    return WallTime(stamp) if stamp.tzinfo is None else Moment(stamp)


def parse_appointment_time(text: str) -> AppointmentTime:
    """Parse a stamp in ISO 8601, or what `str` returned for an appointment time. Raises ValueError."""
    return appointment_time(datetime.fromisoformat(text))


def time_json(when: AppointmentTime | None) -> dict[str, str | None]:
    """Return the fields of a JSON document: `starts_at` (with `Z` if the zone is known), or `starts_on` for a day."""
    text = None if when is None else str(when)
    is_day = isinstance(when, Day)
    return {"starts_at": None if is_day else text, "starts_on": text if is_day else None}


def time_from_json(values: Mapping[str, object]) -> AppointmentTime | None:
    """Return what `time_json` wrote, or an earlier release (a day in `starts_at`); None if there is nothing valid."""
    text = values.get("starts_on") or values.get("starts_at")
    try:
        return parse_appointment_time(text) if isinstance(text, str) else None
    except ValueError:
        return None


def with_known_zone(stored: AppointmentTime | None, shown: AppointmentTime | None) -> AppointmentTime | None:
    """Return `shown` if `stored` is the same stamp without its zone, as earlier releases stored it; else `stored`."""
    same = isinstance(stored, WallTime) and isinstance(shown, Moment) and stored.at == shown.at.replace(tzinfo=None)
    return shown if same else stored
