"""Pending items in tables: what is to be done, and by when."""

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

from watcher.cli.terminal.output import print_paragraph, styled
from watcher.context.read_only import ReadOnlyContext
from watcher.language.catalogue import load_catalogue
from watcher.language.date_text import brief_appointment_text
from watcher.language.due_estimates import extended_day
from watcher.messages import _, current_language
from watcher.model.appointment_time import AppointmentTime, Day, WallTime
from watcher.model.case import ItemState
from watcher.model.ledger import DueSource, TrackedItem
from watcher.views.cases import day_of, has_passed, today_at

_NEAR = timedelta(days=7)


def due_text(item: TrackedItem) -> str:
    """Return the due date that applies, marked if it is an estimate; "-" if there is none."""
    if item.due is None:
        return "-"
    day, source = item.due
    return f"~{day}" if source is DueSource.ESTIMATE else str(day)


def due_or_start(item: TrackedItem, context: ReadOnlyContext) -> str:
    """Return the appointment, in the zone of its office ("Thu, July 9, 3:00 PM EDT"), or else the due date."""
    if item.item.starts_at is None:
        return date_text(item, context)
    settings = context.settings
    zone, catalogue = settings.office_zone(item.account), load_catalogue(current_language())
    return brief_appointment_text(item.item.starts_at, catalogue, zone)


def date_text(item: TrackedItem, context: ReadOnlyContext) -> str:
    """Return the appointment, or else the due date, in numbers: "2026-07-09 15:00 EDT". In red if it is near or over.

    Unlike `due_or_start` it does not load Babel, which takes half as long as the rest of a command.
    """
    when = item.item.starts_at
    text = due_text(item) if when is None else _start_in_numbers(when, context.settings.office_zone(item.account))
    if has_passed(item, context):
        return styled(_("{date} (passed)", date=text), "red")
    is_near = text != "-" and day_of(item, context.settings) - today_at(item.account, context) <= _NEAR
    return styled(text, "red" if is_near and item.state is ItemState.OPEN else None)


def _start_in_numbers(when: AppointmentTime, zone: ZoneInfo) -> str:
    if isinstance(when, Day):
        return str(when.day)
    if isinstance(when, WallTime):
        return _("{date} local time", date=f"{when.at:%Y-%m-%d %H:%M}")
    at = when.at.astimezone(zone)
    name = at.tzname() or ""
    return f"{at:%Y-%m-%d %H:%M} {name if name.isalpha() else zone.key}"


def explain_marks(items: Iterable[TrackedItem]) -> None:
    """Print what the mark of an estimate means, if one is shown, and what holds for one on a weekend or holiday."""
    estimates = [(item.item.kind, item.due[0]) for item in items if item.due and item.due[1] is DueSource.ESTIMATE]
    if estimates:
        print_paragraph(
            _(
                "~ marks the latest possible date, which is computed. Enter the date from your letter with `watcher due"
                " ITEM DATE`."
            )
        )
    for day, until in sorted({(day, until) for kind, day in estimates if (until := extended_day(kind, day))}):
        print_paragraph(
            _(
                "{day} is a weekend day or federal holiday. By 8 CFR 1.2 the period runs until {until}.",
                day=day,
                until=until,
            )
        )
