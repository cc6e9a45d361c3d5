"""Five years of a family with three cases: what the portal shows, and what the family does."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.years.in_memory import DAWN, NIGHT, NOON, Program, check_times
from watcher.model.appointment_time import Day, appointment_time
from watcher.model.case import ItemKind, ItemState, PendingItem, Snapshot, Stage

MOTHER, FATHER, CHILD = "IOE0000000001", "IOE0000000002", "IOE0000000003"
FIRST, LAST = date(2026, 2, 2), date(2031, 2, 1)
DOWNTIMES = ((date(2028, 6, 1), date(2028, 6, 20)),)

SETTINGS: dict[str, Any] = {
    "timezone": ZoneInfo("America/New_York"),
    "state_dir": "state",
    "stall": {"forms": {"I-765": "120d"}},
    "channels": {
        # urgent alerts at any hour, the others outside quiet hours
        "phone": {"name": "phone", "url": "json://localhost/phone", "quiet_hours": "22:00-07:00"},
        # nothing in quiet hours
        "grandma": {
            "name": "grandma",
            "url": "json://localhost/grandma",
            "quiet_hours": "22:00-07:00",
            "urgent_breaks_quiet": False,
        },
        # everything; alerts that are not urgent once a week
        "brother": {
            "name": "brother",
            "url": "json://localhost/brother",
            "min_severity": "routine",
            "digest": "weekly sun 09:00",
        },
        # urgent alerts that nobody acknowledged (nobody in this story does)
        "lawyer": {"name": "lawyer", "url": "json://localhost/lawyer", "escalate_after": "2h"},
    },
}


@dataclass(frozen=True)
class Event:
    """New values of a case at the portal from this check on."""

    at: datetime
    case_number: str
    fields: dict[str, Any]


def _event(number: str, day: str, hour: int, **fields: Any) -> Event:
    return Event(datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC), number, fields)


def _item(key: str, kind: ItemKind, **fields: Any) -> PendingItem:
    return PendingItem(key=key, kind=kind, title="Something is asked for", **fields)


def _answered(item: PendingItem) -> PendingItem:
    return replace(item, state=ItemState.ANSWERED)


def _wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


_BIOMETRICS = _item("biometrics", ItemKind.BIOMETRICS, starts_at=appointment_time(_wall("2026-03-20T09:00:00")))
_MOTHERS_RFE = _item("rfe", ItemKind.RFE, due_on=date(2027, 1, 7))
_MOTHERS_ANSWER = _answered(_MOTHERS_RFE)
_MOTHERS_INTERVIEW = _item(
    "interview", ItemKind.INTERVIEW, starts_at=appointment_time(_wall("2028-01-12T15:00:00+00:00"))
)
_FATHERS_PAPERS = _item("papers", ItemKind.DOCUMENT_REQUEST, due_on=date(2026, 2, 20))
_FATHERS_ANSWER = _answered(_FATHERS_PAPERS)
_FATHERS_INTERVIEW = _item("interview", ItemKind.INTERVIEW, starts_at=Day(date(2026, 9, 10)))
_CHILDS_RFE = _item("rfe", ItemKind.RFE, due_by_estimate=date(2027, 12, 28))
_CHILDS_ANSWER = _answered(_CHILDS_RFE)
_CHILDS_PAPERS = _item("papers", ItemKind.DOCUMENT_REQUEST, due_on=date(2028, 6, 12))


def _stage(stage: Stage, since: str | None, *pending: PendingItem) -> dict[str, Any]:
    return {"stage": stage, "status_since": since and date.fromisoformat(since), "pending": pending}


EVENTS = [
    _event(
        MOTHER, "2026-02-02", NOON, form="I-485", updated_at=_wall("2026-01-28"), **_stage(Stage.RECEIVED, "2026-01-28")
    ),
    _event(MOTHER, "2026-03-02", NOON, **_stage(Stage.BIOMETRICS, "2026-03-01", _BIOMETRICS)),
    _event(
        MOTHER,
        "2026-03-10",
        NIGHT,
        pending=(replace(_BIOMETRICS, starts_at=appointment_time(_wall("2026-04-07T09:00:00"))),),
    ),
    _event(MOTHER, "2026-04-08", NOON, **_stage(Stage.UNDER_REVIEW, "2026-04-08")),
    _event(MOTHER, "2026-08-20", NOON, updated_at=_wall("2026-08-20")),
    _event(MOTHER, "2026-10-12", NOON, **_stage(Stage.EVIDENCE_REQUESTED, "2026-10-12", _MOTHERS_RFE)),
    _event(MOTHER, "2027-01-20", NOON, **_stage(Stage.EVIDENCE_RECEIVED, "2027-01-20", _MOTHERS_ANSWER)),
    _event(MOTHER, "2027-11-15", NOON, **_stage(Stage.INTERVIEW, "2027-11-15", _MOTHERS_INTERVIEW, _MOTHERS_ANSWER)),
    _event(
        MOTHER,
        "2027-12-13",
        NIGHT,
        pending=(
            replace(_MOTHERS_INTERVIEW, starts_at=appointment_time(_wall("2027-12-20T15:00:00+00:00"))),
            _MOTHERS_ANSWER,
        ),
    ),
    _event(
        MOTHER,
        "2027-12-13",
        DAWN,
        pending=(
            replace(_MOTHERS_INTERVIEW, starts_at=appointment_time(_wall("2028-02-02T15:00:00+00:00"))),
            _MOTHERS_ANSWER,
        ),
    ),
    _event(MOTHER, "2028-02-03", NOON, **_stage(Stage.UNDER_REVIEW, "2028-02-03", _MOTHERS_ANSWER)),
    _event(MOTHER, "2028-09-25", NOON, **_stage(Stage.APPROVED, "2028-09-25", _MOTHERS_ANSWER)),
    _event(FATHER, "2026-02-02", NOON, form="N-400", **_stage(Stage.RECEIVED, "2026-01-15", _FATHERS_PAPERS)),
    _event(FATHER, "2026-03-03", NOON, pending=(_FATHERS_ANSWER,)),
    _event(FATHER, "2026-05-16", NIGHT, **_stage(Stage.INTERVIEW, "2026-05-15", _FATHERS_ANSWER, _FATHERS_INTERVIEW)),
    _event(FATHER, "2026-08-15", NOON, **_stage(Stage.UNDER_REVIEW, "2026-08-15", _FATHERS_ANSWER)),
    _event(FATHER, "2027-02-20", DAWN, **_stage(Stage.DENIED, "2027-02-19", _FATHERS_ANSWER)),
    _event(CHILD, "2027-05-03", NOON, form="I-765", **_stage(Stage.RECEIVED, None)),
    _event(CHILD, "2027-10-05", NOON, **_stage(Stage.EVIDENCE_REQUESTED, None, _CHILDS_RFE)),
    _event(CHILD, "2028-01-10", NOON, **_stage(Stage.EVIDENCE_RECEIVED, None, _CHILDS_ANSWER)),
    _event(CHILD, "2028-05-25", NOON, pending=(_CHILDS_ANSWER, _CHILDS_PAPERS)),
    _event(
        CHILD,
        "2028-06-28",
        NOON,
        **_stage(Stage.APPROVED, "2028-06-27", _CHILDS_ANSWER, _answered(_CHILDS_PAPERS)),
    ),
]
ACTIONS: list[tuple[datetime, Callable[[Program], None]]] = [
    (
        datetime(2026, 2, 10, NOON, tzinfo=UTC),
        lambda program: program.set_due(FATHER, "papers", date(2026, 2, 28)),
    ),
    (datetime(2027, 1, 2, NOON, tzinfo=UTC), lambda program: program.set_done(MOTHER, "rfe")),
]


def simulate(program: Program) -> None:
    """Simulate the five years: every six hours a check, the time reminders, and deliveries."""
    current: dict[str, Snapshot] = {}
    events, actions = sorted(EVENTS, key=lambda event: event.at), list(ACTIONS)
    for now in check_times(FIRST, LAST, DOWNTIMES):
        program.deliver(now)
        while events and events[0].at <= now:
            event = events.pop(0)
            before = current.get(event.case_number, Snapshot(case_number=event.case_number))
            stage = event.fields.get("stage", before.stage)
            current[event.case_number] = replace(before, status=_STATUSES[stage], **event.fields)
        while actions and actions[0][0] <= now:
            actions.pop(0)[1](program)
        program.check(now, list(current.values()))
        program.record_time_reminders(now)
        program.deliver(now)


_STATUSES = {stage: f"Chapter {index}" for index, stage in enumerate(Stage)}
"""Titles that no rule knows, so that only the pending items ask for something."""
