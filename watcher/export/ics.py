"""Deadlines and appointments as a calendar (iCalendar, RFC 5545). Pure. The only module that imports icalendar.

The same ledger gives the same bytes, so a calendar file changes only if a date or an item changed. The identifier of
an event never changes, and contains no name or case number.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event

from watcher.alerts.sanitize import sanitize, without_links
from watcher.language.catalogue import Catalogue, load_catalogue
from watcher.language.date_text import moment_text
from watcher.language.due_estimates import extended_day
from watcher.model.appointment_time import AppointmentTime, Day, Moment
from watcher.model.case import ItemState
from watcher.model.ledger import DueSource, TrackedCase, TrackedItem
from watcher.privacy.masking import mask_case_number, mask_numbers

_NAMESPACE = UUID("0c6f7c0a-6a53-4f0f-9c1b-6f2f4f6f7a11")
_ALL_DAY_ALARMS = (timedelta(days=-7, hours=9), timedelta(days=-1, hours=9))
"""All-day events begin at midnight, so these alarms are at nine in the morning, when people are awake."""
_MAX_LENGTH = 500
_TIMED_ALARMS = (timedelta(days=-1), timedelta(hours=-2))
_MARKS = {ItemState.DONE: "✓ ", ItemState.ANSWERED: "✓ "}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The data of one event: an item's appointment, or its due date with the source."""

    case: TrackedCase
    item: TrackedItem
    at: AppointmentTime
    zone: ZoneInfo
    source: DueSource | None = None


def calendar(
    cases: Iterable[TrackedCase],
    *,
    language: str,
    zone: ZoneInfo,
    office_zone: Callable[[str], ZoneInfo] | None = None,
    masked: bool,
) -> bytes:
    """Return all due dates and appointments of the cases as one VCALENDAR, in `language`.

    Due dates are all-day events, tentative if they are estimates. Appointments are in the zone that
    `office_zone` returns for the account (None: the user's `zone`). A wall-clock time without a zone remains one
    ("floating"), and if only the day is known, it is an all-day event. Items that are done or answered
    remain, without alarms; items that the portal no longer asks for are cancelled. `masked` masks case numbers and
    leaves out what the user wrote: labels, persons, and the texts of reminders.
    """
    catalogue = load_catalogue(language)
    document = Calendar()
    document.add("prodid", "-//case-watcher//case-watcher//EN")
    document.add("version", "2.0")
    document.add("calscale", "GREGORIAN")
    document.add("x-wr-calname", "case-watcher")
    document.add("x-wr-timezone", zone.key)
    entries = [entry for case in cases for entry in _entries(case, office_zone(case.account) if office_zone else zone)]
    for entry in entries:
        document.add_component(_event(entry, catalogue, masked=masked))
    years = [entry.at.day_in(entry.zone).year for entry in entries]
    if years:
        document.add_missing_timezones(first_date=date(min(years) - 1, 1, 1), last_date=date(max(years) + 1, 1, 1))
    return bytes(document.to_ical())


def _entries(case: TrackedCase, zone: ZoneInfo) -> Iterator[_Entry]:
    for item in case.items:
        if item.item.starts_at is not None:
            yield _Entry(case=case, item=item, at=item.item.starts_at, zone=zone)
        if item.due is not None:
            day, source = item.due
            yield _Entry(case=case, item=item, at=Day(day), zone=zone, source=source)


def _event(entry: _Entry, catalogue: Catalogue, *, masked: bool) -> Event:
    item, aspect = entry.item, "start" if entry.source is None else "due"
    event = Event()
    event.add("uid", f"{uuid5(_NAMESPACE, f'{item.id} {item.first_seen_at.isoformat()} {aspect}')}@case-watcher")
    event.add("dtstamp", (item.date_changed_at or item.first_seen_at).astimezone(UTC))
    event.add("sequence", _sequence(item))
    event.add("dtstart", _start(entry.at, entry.zone))
    event.add("summary", _summary(entry, catalogue, masked=masked))
    event.add("description", "\n".join(_description(entry, catalogue, masked=masked)))
    event.add("status", _status(entry))
    event.add("transp", "TRANSPARENT" if entry.source else "OPAQUE")
    event.add("class", "PRIVATE")
    if item.item.place and entry.source is None:
        place = item.item.place
        place = mask_numbers(place, item.case_number) if masked else place
        event.add("location", without_links(place, catalogue))
    if item.state is ItemState.OPEN:
        for before in _ALL_DAY_ALARMS if isinstance(entry.at, Day) else _TIMED_ALARMS:
            event.add_component(_alarm(before, str(event["summary"])))
    return event


def _start(at: AppointmentTime, zone: ZoneInfo) -> datetime | date:
    if isinstance(at, Day):
        return at.day
    return at.at.astimezone(zone) if isinstance(at, Moment) else at.at


def _sequence(item: TrackedItem) -> int:
    """Return a number that grows with every revision: a new date from the portal, the date in the letter, the end."""
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
    """Return what to do and for which case. An estimate is marked even here, because people may not open the event."""
    subject, item = _subject(entry.case, catalogue, masked=masked), entry.item.item
    task = catalogue.message("item", item.kind.value, "name")
    if entry.source is DueSource.USER:
        task = task if masked else _plain(item.title, catalogue)
    elif entry.source is not None:
        task = f"{catalogue.message('general', 'due')}: {task}"
    if entry.source is DueSource.ESTIMATE:
        task = f"{task} ({catalogue.message('due_source', 'estimate')})"
    return f"{_MARKS.get(entry.item.state, '')}{task} - {subject}"


def _subject(case: TrackedCase, catalogue: Catalogue, *, masked: bool) -> str:
    """Return the case as its user calls it: by its label, otherwise the person or the number, and the form."""
    if case.label and not masked:
        return _plain(case.label, catalogue)
    name = mask_case_number(case.case_number) if masked else case.person or case.case_number
    form = (case.snapshot.form if case.snapshot else None) or ""
    return catalogue.format("general", "case", number=_plain(name, catalogue), form=_plain(form, catalogue))


def _description(entry: _Entry, catalogue: Catalogue, *, masked: bool) -> Iterator[str]:
    """Yield the number of a case with a name, the portal's title, the item's state, and how reliable the date is."""
    if not masked and (entry.case.label or entry.case.person):
        yield _plain(entry.case.case_number, catalogue)
    title = entry.item.item.title
    title = mask_numbers(title, entry.case.case_number) if masked else title
    if entry.source is not DueSource.USER:
        yield catalogue.format("general", "quoted", text=_plain(title, catalogue))
    if entry.item.state is not ItemState.OPEN:
        yield catalogue.message("item_state", entry.item.state.value)
    if entry.source is DueSource.ESTIMATE:
        yield catalogue.message("general", "estimate")
        if until := extended_day(entry.item.item.kind, entry.at.day_in(entry.zone)):
            yield catalogue.format("general", "estimate_until", until=moment_text(until, catalogue, entry.zone))
    elif entry.source not in {DueSource.LETTER, DueSource.USER}:
        yield catalogue.message("general", "notice_governs")


def _plain(text: str, catalogue: Catalogue) -> str:
    """Return a portal's text so that a calendar shows no link."""
    return sanitize(text, catalogue, max_length=_MAX_LENGTH)


def _alarm(before: timedelta, text: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", before)
    alarm.add("description", text)
    return alarm
