"""Reminders of cases whose stage does not change. Pure.

A stage is counted in whole days, from the day that the portal gives for it, otherwise from the day on which it was
first seen. The first reminder is due when the threshold is reached, the next one when `repeat` has passed since the
last. After months of downtime that is one reminder, not one for every missed repetition. The mark of a reminder names
the stage, its first day, and the day of the reminder: `stall under_review 2026-05-01 2026-07-30`.

Where the agency's list of inquiry dates says from when on the person may ask, the default threshold does not count
before, and the alert that says so (`watcher.remind.reference_reminders`) counts as a reminder.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.clock.timestamps import iso_text
from watcher.model.case import Snapshot
from watcher.model.change import Change, ChangeKind, Json, severity_of
from watcher.model.ledger import TrackedCase
from watcher.model.reminder import DueReminder, SentReminder
from watcher.reference.inquiry_dates import InquiryStanding
from watcher.settings import StallSettings

SUBJECT = "stage"
"""The subject of every `stalled` change and of its sent reminder."""

INQUIRY = "inquiry"
"""The first word of the marks of alerts that the person may ask. The last one is the day of the alert."""

_DEFAULT_AFTER = StallSettings().after


def stall_reminder(
    case: TrackedCase,
    *,
    stall: StallSettings,
    published: Mapping[str, timedelta],
    zone: ZoneInfo,
    now: datetime,
    marks: Iterable[str],
    inquiry: InquiryStanding | None = None,
) -> DueReminder | None:
    """Return the reminder that is due for this case's stage, if any.

    None if the case was never read, is missing since the last complete check, or has a final stage. `marks` are those
    of the reminders that were sent for this case's stage; `published` are processing times by form; `inquiry` is how
    the case stands on the list of inquiry dates.
    """
    snapshot, since = case.snapshot, case.stage_since
    if snapshot is None or since is None or case.missing_reads or snapshot.stage.final:
        return None
    threshold, today = stall_threshold(snapshot, stall), now.astimezone(zone).date()
    if not is_stalled(case, stall=stall, zone=zone, now=now, inquiry=inquiry):
        return None
    if not _is_due(marks, snapshot, since, today, stall.repeat):
        return None
    new: dict[str, Json] = {
        "stage": snapshot.stage.value,
        "since": iso_text(since),
        "since_told": case.stage_since_from_portal,
        "days": (today - since).days,
        "threshold_days": threshold.days,
        "touched_on": _silent_update_on(case, since, zone),
        "form": snapshot.form,
        **(_listed(inquiry) if inquiry and inquiry.is_known else _inquiry_date(snapshot, published)),
    }
    kind = ChangeKind.STALLED
    change = Change(kind=kind, severity=severity_of(kind), case_number=case.case_number, subject=SUBJECT, new=new)
    mark = f"stall {snapshot.stage} {since} {today}"
    sent = SentReminder(account=case.account, case_number=case.case_number, subject=SUBJECT, mark=mark)
    return DueReminder(account=case.account, case_number=case.case_number, change=change, sent_reminder=sent)


def is_stalled(
    case: TrackedCase, *, stall: StallSettings, zone: ZoneInfo, now: datetime, inquiry: InquiryStanding | None = None
) -> bool:
    """Return whether the case has been in its stage for at least the threshold, whether or not a reminder is due.

    A finished case is not stalled, and by the default threshold none that the person may not ask about yet.
    """
    snapshot, since = case.snapshot, case.stage_since
    if snapshot is None or since is None or snapshot.stage.final or case.finished:
        return False
    if inquiry is not None and inquiry.is_known and not inquiry.is_open and _has_default(snapshot, stall):
        return False
    threshold = stall_threshold(snapshot, stall)
    return bool(threshold) and now.astimezone(zone).date() - since >= threshold


def stall_threshold(snapshot: Snapshot, stall: StallSettings) -> timedelta:
    """Return the threshold: that of the stage, otherwise of the form, otherwise the default. Zero turns reminders off.

    The stage comes before the form because it is more specific: "biometrics: 45 days" also applies to a form that takes
    years in all.
    """
    by_form = stall.forms.get(snapshot.form or "", stall.after)
    return stall.stages.get(snapshot.stage, by_form)


def _has_default(snapshot: Snapshot, stall: StallSettings) -> bool:
    is_own = snapshot.stage in stall.stages or (snapshot.form or "") in stall.forms
    return not is_own and stall.after == _DEFAULT_AFTER


def _is_due(marks: Iterable[str], snapshot: Snapshot, since: date, today: date, repeat: timedelta) -> bool:
    """Return whether no reminder was sent since the stage began, or none for as long as `repeat`.

    Only reminders from `since` on count, so an earlier period in the same stage, or a portal that now gives a better
    date for this one, does not matter.
    """
    prefixes = (f"stall {snapshot.stage} ", f"{INQUIRY} ")  # an item's key may be `stage` too
    days = [date.fromisoformat(mark.split()[-1]) for mark in marks if mark.startswith(prefixes)]
    current = [day for day in days if day >= since]
    return not current or today - max(current) >= repeat


def _silent_update_on(case: TrackedCase, since: date, zone: ZoneInfo) -> str | None:
    updated_on = case.silent_update_at and case.silent_update_at.astimezone(zone).date()
    return iso_text(updated_on) if updated_on and updated_on >= since else None


def _listed(inquiry: InquiryStanding) -> dict[str, Json]:
    """Return the inquiry date by which the person may ask already, on the agency's list."""
    known: dict[str, Json] = {"published_days": None, "inquiry_from": None}
    if not inquiry.is_open:
        return known
    dates = {"inquiry_date": iso_text(inquiry.day), "as_of": iso_text(inquiry.as_of)}
    return known | dates | {"list": inquiry.source, "may_ask": True}


def _inquiry_date(snapshot: Snapshot, published: Mapping[str, timedelta]) -> dict[str, Json]:
    """Return the published processing time and the first day after it, from which the agency accepts an inquiry.

    Agencies accept inquiries only about cases outside the published time, counted from the day of receipt
    (USCIS: https://egov.uscis.gov/processing-times/).
    """
    time = published.get(snapshot.form or "")
    if time is None:
        return {"published_days": None, "inquiry_from": None}
    inquiry_from = snapshot.submitted_on and snapshot.submitted_on + time + timedelta(days=1)
    return {"published_days": time.days, "inquiry_from": iso_text(inquiry_from)}
