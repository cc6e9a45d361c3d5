"""Dates in full, with zone, in the language of the request, and how far away they are."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.language.date_text import appointment_text, day_text, moment_text
from watcher.language.due_estimates import extended_day
from watcher.messages import _, current_language, plural
from watcher.model.appointment_time import Moment, WallTime
from watcher.model.ledger import DueSource, TrackedItem
from watcher.settings import Settings
from watcher.views.cases import day_of

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDate:
    """A date as it is shown: in full, for programs, and how far away it is."""

    text: str
    machine: str
    distance: str = ""
    passed: bool = False
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """Writes dates. `now` is aware."""

    settings: Settings
    now: datetime

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the request's language."""
        return load_catalogue(current_language())

    def day(self, day: date, zone: ZoneInfo | None = None) -> ShownDate:
        """Return a day."""
        text = day_text(day, self.catalogue, zone or self.settings.timezone)
        return ShownDate(text=text, machine=day.isoformat(), distance=self.distance(day, zone))

    def moment(self, moment: datetime) -> ShownDate:
        """Return a moment in the user's zone."""
        text = moment_text(moment, self.catalogue, self.settings.timezone)
        return ShownDate(text=text, machine=moment.isoformat(timespec="seconds"), distance=self._time_distance(moment))

    def item(self, item: TrackedItem) -> ShownDate | None:
        """Return the appointment of an item, in the zone of its office, or else its due date; None without either."""
        zone, when = self.settings.office_zone(item.account), item.item.starts_at
        if when is not None:
            machine = when.at.isoformat() if isinstance(when, Moment | WallTime) else when.day.isoformat()
            distance = self.distance(when.day_in(zone), zone)
            text, passed = appointment_text(when, self.catalogue, zone), when.is_over(self.now, zone)
            return ShownDate(text=text, machine=machine, distance=distance, passed=passed)
        if item.due is None:
            return None
        day, source = item.due
        shown, estimated = self.day(day, zone), source is DueSource.ESTIMATE
        last = (extended_day(item.item.kind, day) or day) if estimated else day
        passed = last < self.now.astimezone(zone).date()
        return ShownDate(
            text=shown.text, machine=shown.machine, distance=shown.distance, passed=passed, estimated=estimated
        )

    def distance(self, day: date, zone: ZoneInfo | None = None) -> str:
        """Return how far away a day is: "today", "in 12 days", "3 days ago"."""
        days = (day - self.now.astimezone(zone or self.settings.timezone).date()).days
        if days == 0:
            return _("today")
        if days > 0:
            return _("tomorrow") if days == 1 else plural("in {n} day", "in {n} days", days)
        return _("yesterday") if days == -1 else plural("{n} day ago", "{n} days ago", -days)

    def _time_distance(self, moment: datetime) -> str:
        """Return how far away a moment is: "5 minutes ago", "in 3 hours"; from two days on, in days."""
        away = moment - self.now
        if abs(away) >= 2 * _DAY:
            return self.distance(moment.astimezone(self.settings.timezone).date())
        if abs(away) < _MINUTE:
            return _("just now") if away <= timedelta() else _("in a moment")
        if abs(away) < _HOUR:
            minutes = abs(away) // _MINUTE
            if away > timedelta():
                return plural("in {n} minute", "in {n} minutes", minutes)
            return plural("{n} minute ago", "{n} minutes ago", minutes)
        hours = abs(away) // _HOUR
        return (
            plural("in {n} hour", "in {n} hours", hours)
            if away > timedelta()
            else plural("{n} hour ago", "{n} hours ago", hours)
        )


def nearest_day(items: list[TrackedItem], settings: Settings) -> TrackedItem | None:
    """Return the item whose date comes first; None if none has a date."""
    dated = [item for item in items if day_of(item, settings) != date.max]
    return min(dated, key=lambda item: day_of(item, settings), default=None)
