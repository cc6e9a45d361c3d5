"""Deadlines and appointments as a calendar (iCalendar, RFC 5545). Pure; the only door to the icalendar library.

The same books give the same bytes, so that a file kept up to date changes only when something moved. An event keeps
its identifier for good; it is made of nothing that names a person or a case.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event

from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.model.case import ItemState
from watcher.model.ledger import DueSource, TrackedCase, TrackedItem
from watcher.privacy.masking import mask_case_number, mask_numbers

_OURS = UUID("0c6f7c0a-6a53-4f0f-9c1b-6f2f4f6f7a11")
_BEFORE_A_DAY = (timedelta(days=-7, hours=9), timedelta(days=-1, hours=9))
"""All-day events begin at midnight; who is reminded should be awake, so the alarms are at nine in the morning."""
_BEFORE_AN_HOUR = (timedelta(days=-1), timedelta(hours=-2))
_MARKS = {ItemState.DONE: "✓ ", ItemState.ANSWERED: "✓ "}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One event to be: an item's appointment, or its due date with where that comes from."""

    case: TrackedCase
    item: TrackedItem
    at: datetime | date
    source: DueSource | None = None


def calendar(cases: Iterable[TrackedCase], *, language: str, zone: ZoneInfo, masked: bool) -> bytes:
    """Every due date and appointment in the books as one VCALENDAR, in `language`.

    Due dates are all-day events, tentative where they are estimates. Appointments stand at their moment, in the user's
    `zone`; a wall-clock time whose zone the portal does not say stays such a time ("floating"), and one of which only
    the day is known is an all-day event. What was done or answered stays, without alarms; what the portal no longer
    asks for is cancelled. `masked` leaves of case numbers what alerts with `privacy = "masked"` show.
    """
    words = load_catalogue(language)
    found = Calendar()
    found.add("prodid", "-//case-watcher//case-watcher//EN")
    found.add("version", "2.0")
    found.add("calscale", "GREGORIAN")
    found.add("x-wr-calname", "case-watcher")
    found.add("x-wr-timezone", zone.key)
    entries = [entry for case in cases for entry in _entries(case)]
    for entry in entries:
        found.add_component(_event(entry, words, zone, masked=masked))
    years = [entry.at.year for entry in entries]
    if years:
        found.add_missing_timezones(first_date=date(min(years) - 1, 1, 1), last_date=date(max(years) + 1, 1, 1))
    return bytes(found.to_ical())


def _entries(case: TrackedCase) -> Iterator[_Entry]:
    for item in case.items:
        if item.item.starts_at is not None:
            yield _Entry(case=case, item=item, at=item.item.starts_at)
        if item.due is not None:
            day, source = item.due
            yield _Entry(case=case, item=item, at=day, source=source)


def _event(entry: _Entry, catalogue: Catalogue, zone: ZoneInfo, *, masked: bool) -> Event:
    item, aspect = entry.item, "start" if entry.source is None else "due"
    event = Event()
    event.add("uid", f"{uuid5(_OURS, f'{item.id} {item.first_seen_at.isoformat()} {aspect}')}@case-watcher")
    event.add("dtstamp", (item.date_changed_at or item.first_seen_at).astimezone(UTC))
    event.add("sequence", _sequence(item))
    event.add("dtstart", _start(entry.at, zone))
    event.add("summary", _summary(entry, catalogue, masked=masked))
    event.add("description", "\n".join(_description(entry, catalogue, masked=masked)))
    event.add("status", _status(entry))
    event.add("transp", "TRANSPARENT" if entry.source else "OPAQUE")
    event.add("class", "PRIVATE")
    if item.item.place and entry.source is None:
        place = item.item.place
        event.add("location", mask_numbers(place, item.case_number) if masked else place)
    if item.state is ItemState.OPEN:
        for before in _BEFORE_AN_HOUR if isinstance(entry.at, datetime) else _BEFORE_A_DAY:
            event.add_component(_alarm(before, str(event["summary"])))
    return event


def _start(at: datetime | date, zone: ZoneInfo) -> datetime | date:
    return at.astimezone(zone) if isinstance(at, datetime) and at.tzinfo is not None else at


def _sequence(item: TrackedItem) -> int:
    """Grows with every revision that the books know of: a moved date above all, the date on the letter, the end."""
    minutes = (
        0
        if item.date_changed_at is None
        else int((item.date_changed_at - item.first_seen_at).total_seconds() // 60) + 1
    )
    return 4 * minutes + (item.letter_due_on is not None) + 2 * (item.state is not ItemState.OPEN)


def _status(entry: _Entry) -> str:
    if entry.item.state is ItemState.CLOSED:
        return "CANCELLED"
    return "TENTATIVE" if entry.source is DueSource.ESTIMATE else "CONFIRMED"


def _summary(entry: _Entry, catalogue: Catalogue, *, masked: bool) -> str:
    """What to do, of which case; an estimate says so where nobody opens the event."""
    number, snapshot = entry.case.case_number, entry.case.snapshot
    about = catalogue.format(
        "general",
        "case",
        number=mask_case_number(number) if masked else number,
        form=(snapshot.form if snapshot else None) or "",
    )
    what = catalogue.message("item", entry.item.item.kind.value, "name")
    if entry.source is not None:
        what = f"{catalogue.message('general', 'due')}: {what}"
    if entry.source is DueSource.ESTIMATE:
        what = f"{what} ({catalogue.message('due_source', 'estimate')})"
    return f"{_MARKS.get(entry.item.state, '')}{what} - {about}"


def _description(entry: _Entry, catalogue: Catalogue, *, masked: bool) -> Iterator[str]:
    """The portal's own title, what became of it, and how far the date can be trusted."""
    title = entry.item.item.title
    yield catalogue.format("general", "quoted", text=mask_numbers(title, entry.case.case_number) if masked else title)
    if entry.item.state is not ItemState.OPEN:
        yield catalogue.message("item_state", entry.item.state.value)
    if entry.source is DueSource.ESTIMATE:
        yield catalogue.message("general", "estimate")
    elif entry.source is not DueSource.LETTER:
        yield catalogue.message("general", "notice_governs")


def _alarm(before: timedelta, text: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", before)
    alarm.add("description", text)
    return alarm
