"""Reminders of cases whose stage does not change. Pure.

A stage is counted in whole days, from the day that the portal gives for it, otherwise from the day on which it was
first seen. The first reminder is due when the threshold is reached, the next one when `repeat` has passed since the
last. After months of downtime that is one reminder, not one for every missed repetition. The mark of a reminder names
the stage, its first day, and the day of the reminder: `stall under_review 2026-05-01 2026-07-30`.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.clock.timestamps import iso_text
from watcher.model.case import Snapshot
from watcher.model.change import Change, ChangeKind, Json, severity_of
from watcher.model.ledger import TrackedCase
from watcher.model.reminder import DueReminder, SentReminder
from watcher.settings import StallSettings

SUBJECT = "stage"
"""The subject of every `stalled` change and of its sent reminder."""


def stall_reminder(
    case: TrackedCase,
    *,
    stall: StallSettings,
    published: Mapping[str, timedelta],
    zone: ZoneInfo,
    now: datetime,
    marks: Iterable[str],
) -> DueReminder | None:
    """Return the reminder that is due for this case's stage, if any.

    None if the case was never read, is missing since the last complete check, or has a final stage. `marks` are those
    of the reminders that were sent for this case's stage; `published` are processing times by form.
    """
    snapshot, since = case.snapshot, case.stage_since
    if snapshot is None or since is None or case.missing_reads or snapshot.stage.final:
        return None
    threshold, today = stall_threshold(snapshot, stall), now.astimezone(zone).date()
    if not is_stalled(case, stall=stall, zone=zone, now=now) or not _is_due(
        marks, snapshot, since, today, stall.repeat
    ):
        return None
    new: dict[str, Json] = {
        "stage": snapshot.stage.value,
        "since": iso_text(since),
        "since_told": case.stage_since_from_portal,
        "days": (today - since).days,
        "threshold_days": threshold.days,
        "touched_on": _silent_update_on(case, since, zone),
        "form": snapshot.form,
        **_inquiry_date(snapshot, published),
    }
    kind = ChangeKind.STALLED
    change = Change(kind=kind, severity=severity_of(kind), case_number=case.case_number, subject=SUBJECT, new=new)
    mark = f"stall {snapshot.stage} {since} {today}"
    sent = SentReminder(account=case.account, case_number=case.case_number, subject=SUBJECT, mark=mark)
    return DueReminder(account=case.account, case_number=case.case_number, change=change, sent_reminder=sent)


def is_stalled(case: TrackedCase, *, stall: StallSettings, zone: ZoneInfo, now: datetime) -> bool:
    """Return whether the case has been in its stage for at least the threshold, whether or not a reminder is due.

    A finished case is not stalled.
    """
    snapshot, since = case.snapshot, case.stage_since
    if snapshot is None or since is None or snapshot.stage.final or case.finished:
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


def _is_due(marks: Iterable[str], snapshot: Snapshot, since: date, today: date, repeat: timedelta) -> bool:
    """Return whether no reminder was sent since the stage began, or none for as long as `repeat`.

    Only reminders from `since` on count, so an earlier period in the same stage, or a portal that now gives a better
    date for this one, does not matter.
    """
    stalls = (mark.split() for mark in marks if mark.startswith("stall "))  # an item's key may be `stage` too
    days = [date.fromisoformat(day) for _, stage, _, day in stalls if stage == snapshot.stage]
    current = [day for day in days if day >= since]
    return not current or today - max(current) >= repeat


def _silent_update_on(case: TrackedCase, since: date, zone: ZoneInfo) -> str | None:
    updated_on = case.silent_update_at and case.silent_update_at.astimezone(zone).date()
    return iso_text(updated_on) if updated_on and updated_on >= since else None


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
