"""Changes that published lists cause: the person may ask about a case, a priority date became current, or went back.

Pure. Each is recorded once. The marks under the subject of the stage say that the person may ask, with the day of the
alert: `inquiry 2025-01-02 2026-11-20`. Those of a chart are numbered and name what was compared:
`0001 current 2026-09 EB2 IN 2014-01-15`, so another priority date starts over.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from watcher.clock.timestamps import iso_text
from watcher.model.change import Change, ChangeKind, Json, severity_of
from watcher.model.ledger import TrackedCase
from watcher.model.reminder import DueReminder, SentReminder
from watcher.reference.inquiry_dates import InquiryStanding
from watcher.reference.lists import ReferenceLists
from watcher.reference.place_in_line import ChartPlace, PlaceInLine
from watcher.reference.visa_bulletin import Chart
from watcher.remind.stalls import INQUIRY
from watcher.remind.stalls import SUBJECT as STAGE

_CURRENT, _BACK = "current", "back"


def chart_subject(chart: Chart) -> str:
    """Return the subject of changes about a chart of the visa bulletin, and of their sent reminders."""
    return f"priority {chart.value}"


def inquiry_reminder(
    case: TrackedCase, standing: InquiryStanding | None, *, zone: ZoneInfo, now: datetime, marks: Iterable[str]
) -> DueReminder | None:
    """Return the change that the person may ask about this case, unless it was recorded before.

    `marks` are those under the subject of the case's stage.
    """
    received_on = standing.received_on if standing else None
    if standing is None or not standing.is_open or received_on is None or case.missing_reads or case.finished:
        return None
    prefix = f"{INQUIRY} {received_on} "
    if any(mark.startswith(prefix) for mark in marks):
        return None
    new: dict[str, Json] = {
        "received_on": iso_text(received_on),
        "inquiry_date": iso_text(standing.day),
        "as_of": iso_text(standing.as_of),
        "list": standing.source,
        "form": case.snapshot.form if case.snapshot else None,
    }
    return _reminder(
        case, ChangeKind.INQUIRY_OPEN, INQUIRY, f"{prefix}{now.astimezone(zone).date()}", new, sent_as=STAGE
    )


def priority_reminders(
    case: TrackedCase, lists: ReferenceLists, *, zone: ZoneInfo, now: datetime, marks: Iterable[tuple[str, str]]
) -> Iterator[DueReminder]:
    """Yield a change for each chart in which the priority date became current, or went back.

    `marks` are subject and mark of the reminders that were sent for this case. A bulletin that is not the newest
    one, and a cell that is unknown, cause nothing.
    """
    place = lists.place(case, now.astimezone(zone).date())
    if place is None or place.is_old or case.finished:
        return
    sent = tuple(marks)
    for one in place.charts:
        subject = chart_subject(one.chart)
        reminder = _chart_reminder(case, place, one, [mark for name, mark in sent if name == subject])
        if reminder is not None:
            yield reminder


def _chart_reminder(case: TrackedCase, place: PlaceInLine, one: ChartPlace, marks: Iterable[str]) -> DueReminder | None:
    priority = place.priority
    compared = f"{priority.category} {priority.country} {priority.day}"
    told = sorted(mark for mark in marks if mark.endswith(f" {compared}"))
    last, bulletin = _told(told[-1]) if told else (_BACK, "")
    state = _CURRENT if one.is_current else _BACK
    if one.is_current is None or state == last or place.bulletin < bulletin:
        return None
    new: dict[str, Json] = {
        "chart": one.chart.value,
        "bulletin": f"{place.bulletin}-01",
        "category": priority.category,
        "country": one.column,
        "priority_on": iso_text(priority.day),
        "cutoff": one.cutoff.kind.value,
        "cutoff_on": iso_text(one.cutoff.day),
        "accepted": place.accepted.value if place.accepted else None,
        "list": place.source,
        "filing_list": place.filing_source or None,
    }
    kind = ChangeKind.PRIORITY_CURRENT if one.is_current else ChangeKind.PRIORITY_BACK
    mark = f"{len(told) + 1:04d} {state} {place.bulletin} {compared}"
    return _reminder(case, kind, chart_subject(one.chart), mark, new)


def _told(mark: str) -> tuple[str, str]:
    _number, state, bulletin, *_compared = mark.split()
    return state, bulletin


def _reminder(
    case: TrackedCase, kind: ChangeKind, subject: str, mark: str, new: dict[str, Json], *, sent_as: str | None = None
) -> DueReminder:
    change = Change(kind=kind, severity=severity_of(kind), case_number=case.case_number, subject=subject, new=new)
    subject = sent_as or subject
    sent = SentReminder(account=case.account, case_number=case.case_number, subject=subject, mark=mark)
    return DueReminder(account=case.account, case_number=case.case_number, change=change, sent_reminder=sent)
