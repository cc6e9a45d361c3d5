"""Stages that do not move. Pure.

A stage stands from the day that the portal gives for it, else from the day on which it was first seen, in whole days.
It is told when it has stood as long as its threshold, and again when `repeat` has passed since the last telling: after
a sleep of months that is one alert, not one for every repetition that was slept through. The mark names the stage, the
day since when, and the day of telling, `stall under_review 2026-05-01 2026-07-30`.
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
"""What stalls: the subject of every `stalled` change and of its memory."""


def stall_of(
    case: TrackedCase,
    *,
    stall: StallSettings,
    published: Mapping[str, timedelta],
    zone: ZoneInfo,
    now: datetime,
    marks: Iterable[str],
) -> DueReminder | None:
    """The stall of this case that is to be told now, or None.

    None too for a case that was never read, that the last complete read did not find, or whose stage is final.
    `marks` are what was told of this case's stage before; `published` the processing times by form.
    """
    snapshot, since = case.snapshot, case.stage_since
    if snapshot is None or since is None or case.missing_reads or snapshot.stage.final:
        return None
    threshold, today = threshold_of(snapshot, stall), now.astimezone(zone).date()
    if not is_stalled(case, stall=stall, zone=zone, now=now) or not _is_time(
        marks, snapshot, since, today, stall.repeat
    ):
        return None
    new: dict[str, Json] = {
        "stage": snapshot.stage.value,
        "since": iso_text(since),
        "since_told": case.stage_since_from_portal,
        "days": (today - since).days,
        "threshold_days": threshold.days,
        "touched_on": _touched_on(case, since, zone),
        "form": snapshot.form,
        **_inquiry(snapshot, published),
    }
    kind = ChangeKind.STALLED
    change = Change(kind=kind, severity=severity_of(kind), case_number=case.case_number, subject=SUBJECT, new=new)
    mark = f"stall {snapshot.stage} {since} {today}"
    memory = SentReminder(account=case.account, case_number=case.case_number, subject=SUBJECT, mark=mark)
    return DueReminder(account=case.account, case_number=case.case_number, change=change, sent_reminder=memory)


def is_stalled(case: TrackedCase, *, stall: StallSettings, zone: ZoneInfo, now: datetime) -> bool:
    """Whether this case stands still for longer than it should, told or not."""
    snapshot, since = case.snapshot, case.stage_since
    if snapshot is None or since is None or snapshot.stage.final:
        return False
    threshold = threshold_of(snapshot, stall)
    return bool(threshold) and now.astimezone(zone).date() - since >= threshold


def threshold_of(snapshot: Snapshot, stall: StallSettings) -> timedelta:
    """How long this stage may stand still: by stage, else by form, else the default. Nothing turns the alert off.

    The stage counts before the form because it is the narrower word: who says "biometrics: 45 days" means it of a
    form whose whole processing takes years, too.
    """
    by_form = stall.forms.get(snapshot.form or "", stall.after)
    return stall.stages.get(snapshot.stage, by_form)


def _is_time(marks: Iterable[str], snapshot: Snapshot, since: date, today: date, repeat: timedelta) -> bool:
    """Whether nothing, or nothing for as long as `repeat`, was told of this standing of this stage.

    A telling counts for this standing when it is not older than `since`; so neither an earlier stay in the same stage
    nor a portal that now gives a better date for this one confuses it.
    """
    told = [date.fromisoformat(day) for word, stage, _, day in map(str.split, marks) if stage == snapshot.stage]
    here = [day for day in told if day >= since]
    return not here or today - max(here) >= repeat


def _touched_on(case: TrackedCase, since: date, zone: ZoneInfo) -> str | None:
    touched = case.silent_update_at and case.silent_update_at.astimezone(zone).date()
    return iso_text(touched) if touched and touched >= since else None


def _inquiry(snapshot: Snapshot, published: Mapping[str, timedelta]) -> dict[str, Json]:
    """From when on the case is older than the published processing time, so that an inquiry may be made.

    Agencies take inquiries only about cases outside the published time, counted from the day of receipt
    (USCIS: https://egov.uscis.gov/processing-times/).
    """
    time = published.get(snapshot.form or "")
    if time is None:
        return {"published_days": None, "inquiry_from": None}
    first = snapshot.submitted_on and snapshot.submitted_on + time + timedelta(days=1)
    return {"published_days": time.days, "inquiry_from": iso_text(first)}
