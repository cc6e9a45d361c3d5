"""An alert context for every kind of change, as the diff, the reminders, and account health create them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from watcher.model.alert import AlertContext, Links
from watcher.model.case import Snapshot, Stage
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, severity_of

NUMBER = "IOE0000000001"
LINKS = Links(
    sign_in="https://my.uscis.gov/",
    help="https://www.uscis.gov/contactcenter",
    reset="https://myaccount.uscis.gov/",
)
CEAC = Links(sign_in="https://ceac.state.gov/CEACStatTracker/Status.aspx", help="https://travel.state.gov/")
LIST_PAGES = (
    "https://egov.uscis.gov/e-request",
    "https://travel.state.gov/content/travel/en/legal/visa-law0/visa-bulletin.html",
)
"""The official pages about changes that published lists cause."""

ACCOUNT_KINDS = frozenset(
    {
        ChangeKind.SIGN_IN_REJECTED,
        ChangeKind.ACCOUNT_LOCKED,
        ChangeKind.MFA_NEEDED,
        ChangeKind.SESSION_ENDED,
        ChangeKind.PORTAL_UNREADABLE,
        ChangeKind.BLIND,
        ChangeKind.RECOVERED,
        ChangeKind.OFFICIAL_MAIL,
    }
)
GENERAL_KINDS = frozenset({ChangeKind.CHANNEL_FAILING, ChangeKind.LIST_FAILING, ChangeKind.CLOCK_SET_BACK})


def item(kind: str, title: str, **more: Json) -> dict[str, Json]:
    return {
        "key": "n-1",
        "kind": kind,
        "title": title,
        "description": None,
        "due_on": None,
        "due_by_estimate": None,
        "starts_at": None,
        "place": None,
        "asked_on": "2026-07-09",
        "state": "open",
    } | more


def status(stage: str, title: str, since: str = "2026-07-09") -> dict[str, Json]:
    return {"stage": stage, "status": title, "description": f"On July 9, 2026: {title}.", "since": since}


_RFE = item("rfe", "Request for Evidence Was Sent", due_by_estimate="2026-10-01")
_NOID = item("intent_to_deny", "Notice Of Intent To Deny Was Sent", due_on="2026-08-08")
_INTERVIEW = item(
    "interview", "Interview Was Scheduled", starts_at="2026-08-20T19:00:00+00:00", place="26 Federal Plaza, New York"
)
_MOVED = _INTERVIEW | {"title": "Interview Was Rescheduled", "starts_at": "2026-09-01T09:30:00"}
_CARD = item("task", "Card Was Returned To USCIS", due_by_estimate="2027-01-05")
_OWN = item("reminder", "Card expires", due_on="2027-05-01", source="user", days=7, item_id=5)
_NEAR: dict[str, Json] = {"source": "estimate", "days": 7, "item_id": 3}
_PRIORITY: dict[str, Json] = {
    "chart": "final_action",
    "bulletin": "2026-08-01",
    "category": "EB2",
    "country": "IN",
    "priority_on": "2014-01-15",
    "cutoff": "date",
    "cutoff_on": "2014-02-01",
    "accepted": "final_action",
    "list": "data.example.org",
    "filing_list": "data.example.org",
}

EXAMPLE_VALUES: Mapping[ChangeKind, tuple[str | None, Json, Json]] = {
    ChangeKind.RFE_RECEIVED: ("n-1", None, _RFE),
    ChangeKind.INTENT_TO_DENY_RECEIVED: ("n-1", None, _NOID),
    ChangeKind.APPOINTMENT_SCHEDULED: ("n-1", None, _INTERVIEW),
    ChangeKind.APPOINTMENT_CHANGED: ("n-1", _INTERVIEW, _MOVED),
    ChangeKind.APPOINTMENT_CANCELLED: ("n-1", _INTERVIEW, _INTERVIEW | {"state": "closed"}),
    ChangeKind.STAGE_CHANGED: (
        None,
        status("received", "Case Was Received", "2026-05-29"),
        status("denied", "Case Was Denied"),
    ),
    ChangeKind.STATUS_CHANGED: (
        None,
        status("under_review", "Case Was Reopened"),
        status("under_review", "Expedite Request Denied"),
    ),
    ChangeKind.PART_CHANGED: (
        "medical",
        {"key": "medical", "title": "Medical", "status": "inProgress"},
        {"key": "medical", "title": "Medical", "status": "completed"},
    ),
    ChangeKind.DETAIL_CHANGED: ("office", "NATIONAL BENEFITS CENTER", "NEBRASKA SERVICE CENTER"),
    ChangeKind.ITEM_ADDED: ("n-1", None, _CARD),
    ChangeKind.ITEM_CHANGED: ("n-1", _CARD, _CARD | {"due_on": "2026-12-31"}),
    ChangeKind.ITEM_CLOSED: ("n-1", _RFE, _RFE | {"state": "answered", "reason": "answered"}),
    ChangeKind.NOTICE_ADDED: ("l-1", None, {"key": "l-1", "title": "Appointment Scheduled", "dated": "2026-06-19"}),
    ChangeKind.NOTICE_CHANGED: (
        "l-1",
        {"key": "l-1", "title": "Appointment Scheduled", "dated": "2026-06-19"},
        {"key": "l-1", "title": "Appointment Scheduled", "dated": "2026-06-26"},
    ),
    ChangeKind.NOTICE_REMOVED: ("l-1", {"key": "l-1", "title": "MARIA_SAMPLE.pdf", "dated": "2026-06-19"}, None),
    ChangeKind.HISTORY_ADDED: (
        "e-1",
        None,
        {"key": "e-1", "title": "FTA0", "at": "2026-07-09", "code": "FTA0", "hint": "Database checks received"},
    ),
    ChangeKind.HISTORY_CHANGED: (
        "e-1",
        {"key": "e-1", "title": "FTA0", "at": "2026-07-09", "code": "FTA0", "hint": None},
        {"key": "e-1", "title": "FTA0", "at": "2026-07-10", "code": "FTA0", "hint": None},
    ),
    ChangeKind.HISTORY_REMOVED: ("e-1", {"key": "e-1", "title": "FTA0", "at": "2026-07-09", "code": "FTA0"}, None),
    ChangeKind.SILENT_UPDATE: ("updated_at", "2026-07-30", "2026-07-31T13:07:45+00:00"),
    ChangeKind.DEADLINE_NEAR: ("n-1", None, _RFE | _NEAR | {"due_on": "2026-10-01"}),
    ChangeKind.DEADLINE_PASSED: ("n-1", None, _NOID | {"source": "letter", "days": -1, "item_id": 3}),
    ChangeKind.STALLED: (
        "stage",
        None,
        {
            "stage": "under_review",
            "since": "2026-03-01",
            "days": 150,
            "threshold_days": 120,
            "touched_on": "2026-07-01",
            "form": "I-485",
            "published_days": 240,
            "inquiry_from": "2027-01-25",
        },
    ),
    ChangeKind.INQUIRY_OPEN: (
        "inquiry",
        None,
        {
            "received_on": "2025-01-02",
            "inquiry_date": "2025-02-01",
            "as_of": "2026-07-30",
            "list": "inquiry-dates.csv",
            "form": "I-485",
        },
    ),
    ChangeKind.PRIORITY_CURRENT: ("priority final_action", None, _PRIORITY),
    ChangeKind.PRIORITY_BACK: ("priority final_action", None, _PRIORITY | {"cutoff_on": "2013-12-01"}),
    ChangeKind.LOOK_REMINDER: ("look", None, {"site": "ceac", "looked_at": "2026-07-02T14:00:00+00:00"}),
    ChangeKind.OFFICIAL_MAIL: ("mail", None, {"at": "2026-07-30T14:00:00Z", "handover": True}),
    ChangeKind.REMINDER: ("user:1", None, _OWN),
    ChangeKind.NOTE: (None, None, {"text": "Called USCIS, wait 30 days"}),
    ChangeKind.CASE_ADDED: (None, None, {"stage": "received", "status": "Case Was Received", "form": "I-485"}),
    ChangeKind.CASE_NOT_FOUND: (
        "presence",
        None,
        {"agency": "USCIS", "reason": "USCIS does not know this receipt number", "elsewhere": False},
    ),
    ChangeKind.CASE_MISSING: ("presence", None, {"reads": 3}),
    ChangeKind.CASE_RETURNED: ("presence", None, None),
    ChangeKind.SIGN_IN_REJECTED: (None, None, {"reason": "USCIS refused the user name or password"}),
    ChangeKind.ACCOUNT_LOCKED: (None, None, {"reason": "USCIS says the account is locked"}),
    ChangeKind.MFA_NEEDED: (None, None, {"reason": "USCIS asks for the code it sent by e-mail"}),
    ChangeKind.SESSION_ENDED: (None, None, {"reason": "USCIS online account: no session, or it has ended"}),
    ChangeKind.PORTAL_UNREADABLE: (None, None, {"reason": "the answer about a case had no status"}),
    ChangeKind.BLIND: (
        None,
        None,
        {"reason": "USCIS answered 503", "since": "2026-07-30T12:00:00+00:00", "attempts": 6},
    ),
    ChangeKind.RECOVERED: (None, None, {"after": "blind", "since": "2026-07-30T12:00:00+00:00"}),
    ChangeKind.CHANNEL_FAILING: ("phone", None, {"since": "2026-07-30T12:00:00+00:00"}),
    ChangeKind.LIST_FAILING: (
        "list visa_bulletin",
        None,
        {
            "name": "visa_bulletin",
            "list": "data.example.org",
            "reason": "data.example.org is not available (HTTP 503)",
            "saved_on": "2026-07-29",
            "old": False,
        },
    ),
    ChangeKind.CLOCK_SET_BACK: (
        None,
        None,
        {"from": "2027-05-26T12:00:00Z", "to": "2026-07-30T12:00:00Z", "days": 300, "hours": 7200, "first_change": 7},
    ),
}
"""Subject, old value, and new value of a typical change of each kind."""


def change(kind: ChangeKind, *, case_number: str | None = NUMBER) -> Change:
    subject, old, new = EXAMPLE_VALUES[kind]
    return Change(
        kind=kind,
        severity=severity_of(kind, _stage(new)),
        case_number=None if kind in ACCOUNT_KINDS | GENERAL_KINDS else case_number,
        subject=subject,
        old=old,
        new=new,
    )


def _with_values(kind: ChangeKind, **values: Json) -> Change:
    """Return the example with other new values."""
    changed = change(kind)
    assert isinstance(changed.new, dict)
    return replace(changed, new=changed.new | values)


def alert_context(*changes: Change, links: Links = LINKS, is_account: bool = False, **fields: Any) -> AlertContext:
    is_account = is_account or all(changed.kind in ACCOUNT_KINDS | {ChangeKind.CASE_NOT_FOUND} for changed in changes)
    return AlertContext(
        account="family",
        portal_title="USCIS online account",
        links=links,
        changes=changes,
        snapshot=None if is_account else _snapshot(changes, fields),
        history=() if is_account else _history(),
        agency="USCIS",
    )


def channel_context(changed: Change) -> AlertContext:
    return AlertContext(account="", portal_title="", links=None, changes=(changed,))


def examples() -> dict[str, AlertContext]:
    """Return a context for every kind of change and for variants with a different text, by name."""
    contexts = {kind.value: alert_context(change(kind)) for kind in ChangeKind if kind not in GENERAL_KINDS}
    failing = change(ChangeKind.CHANNEL_FAILING)
    works_again = replace(
        change(ChangeKind.RECOVERED), subject="phone", new={"after": "channel_failing", "since": "2026-07-30T12:00:00Z"}
    )
    partly = replace(
        change(ChangeKind.PORTAL_UNREADABLE),
        new={"reason": "the documents could not be read", "since": "2026-07-30T12:00:00Z", "partly": True},
    )
    to_hand_over = replace(
        change(ChangeKind.LOOK_REMINDER, case_number=None),
        new={"handover": True, "days": 3, "looked_at": "2026-07-02T14:00:00+00:00"},
    )
    not_handed_over = replace(change(ChangeKind.BLIND), new={"handover": True, "since": "2026-07-02T14:00:00Z"})
    readable = replace(
        change(ChangeKind.RECOVERED), new={"after": "portal_unreadable", "since": "2026-07-30T12:00:00Z"}
    )
    refused = Change(
        kind=ChangeKind.STAGE_CHANGED,
        severity=severity_of(ChangeKind.STAGE_CHANGED, Stage.REFUSED),
        case_number="AA00000001",
        old={"stage": "interview", "status": "Ready"},
        new={"stage": "refused", "status": "Refused"},
    )
    unknown = Change(
        kind=ChangeKind.STAGE_CHANGED,
        severity=severity_of(ChangeKind.STAGE_CHANGED, Stage.UNKNOWN),
        case_number=NUMBER,
        old=status("received", "Case Was Received"),
        new=status("unknown", "Something USCIS Has Never Said"),
    )
    paper_receipt = Change(
        kind=ChangeKind.CASE_NOT_FOUND,
        severity=severity_of(ChangeKind.CASE_NOT_FOUND),
        case_number=NUMBER,
        new={"agency": "USCIS", "reason": "the online account shows only IOE receipts", "elsewhere": True},
    )
    appointment: dict[str, Json] = _INTERVIEW | {"days": 1, "item_id": 4}
    evidence_requested = _stage_change(
        status("received", "Case Was Received"), status("evidence_requested", "Request for Evidence Was Sent")
    )
    refused_again: dict[str, Json] = {"stage": "refused", "status": "Refused"}
    updated = Change(
        kind=ChangeKind.STATUS_CHANGED,
        severity=severity_of(ChangeKind.STATUS_CHANGED),
        case_number="AA00000001",
        old=refused_again | {"since": "2026-11-10"},
        new=refused_again | {"since": "2026-11-16"},
    )
    reworded = Change(
        kind=ChangeKind.STATUS_CHANGED,
        severity=severity_of(ChangeKind.STATUS_CHANGED),
        case_number=NUMBER,
        old=status("under_review", "Case Was Reopened", "2026-07-09") | {"description": "We reopened your case."},
        new=status("under_review", "Case Was Reopened", "2026-07-20"),
    )
    back_in_review = _stage_change(
        status("evidence_requested", "Request for Evidence Was Sent"),
        status("under_review", "Case Is Being Actively Reviewed By USCIS"),
    )
    named = alert_context(change(ChangeKind.STATUS_CHANGED))
    passed = replace(change(ChangeKind.REMINDER), new=_OWN | {"due_on": "2026-07-01", "days": -1, "is_overdue": True})
    return contexts | {
        "reminder, the date has passed": alert_context(passed),
        "status_changed, of a case with a label": replace(named, label="Maria's green card", person="Maria"),
        "status_changed, of a case with a person": replace(named, person="Maria"),
        "status_changed, only a new date": alert_context(updated, links=CEAC, case_number="AA00000001", form=None),
        "status_changed, only a new text": alert_context(reworded),
        "rfe_received, overdue": alert_context(_received(ChangeKind.RFE_RECEIVED, _RFE | {"is_overdue": True})),
        "rfe_received, the estimate is a Saturday": alert_context(
            _received(ChangeKind.RFE_RECEIVED, _RFE | {"due_by_estimate": "2026-10-03"})
        ),
        "appointment_scheduled, its time has passed": alert_context(
            _received(ChangeKind.APPOINTMENT_SCHEDULED, _INTERVIEW | {"has_passed": True})
        ),
        "item_added, overdue": alert_context(
            _received(ChangeKind.ITEM_ADDED, item("fee", "Immigrant fee", due_on="2026-05-02", is_overdue=True))
        ),
        "item_closed, no longer listed": alert_context(_closed(_RFE, "unlisted")),
        "item_closed, nothing outstanding, with the stage": alert_context(
            _closed(_RFE, "nothing_outstanding"), back_in_review
        ),
        "item_closed, cancelled": alert_context(_closed(_RFE, "cancelled")),
        "item_closed, the case has ended": alert_context(_closed(_RFE, "case_ended")),
        "item_closed, an appointment that was held": alert_context(_closed(_INTERVIEW, "answered")),
        "item_closed, an appointment that was scheduled again": alert_context(_closed(_INTERVIEW, "replaced")),
        "item_closed, an appointment in the past": alert_context(_closed(_INTERVIEW, "time_passed")),
        "stage_changed to refused at a consulate": alert_context(
            refused, links=CEAC, case_number="AA00000001", form=None
        ),
        "stage_changed to unknown": alert_context(unknown),
        "case_not_found, a paper receipt": alert_context(paper_receipt),
        "deadline_near, an appointment": alert_context(_reminder(ChangeKind.DEADLINE_NEAR, appointment)),
        "deadline_passed, an appointment": alert_context(
            _reminder(ChangeKind.DEADLINE_PASSED, appointment | {"days": -1})
        ),
        "portal_unreadable, only a part": alert_context(partly),
        "recovered, what could not be read": alert_context(readable),
        "look_reminder, to hand over": alert_context(to_hand_over, is_account=True),
        "blind, not handed over": alert_context(not_handed_over),
        "channel_failing": channel_context(failing),
        "list_failing": channel_context(change(ChangeKind.LIST_FAILING)),
        "list_failing, old": channel_context(_with_values(ChangeKind.LIST_FAILING, old=True, reason=None)),
        "recovered, a list": channel_context(
            replace(
                change(ChangeKind.RECOVERED),
                subject="list visa_bulletin",
                new={"after": "list_failing", "name": "visa_bulletin", "list": "data.example.org"},
            )
        ),
        "priority_current, for every date, in the chart that is not accepted": alert_context(
            _with_values(
                ChangeKind.PRIORITY_CURRENT,
                chart="dates_for_filing",
                cutoff="current",
                cutoff_on=None,
                country="ROW",
            )
        ),
        "priority_back, no visas, accepted chart unknown": alert_context(
            _with_values(
                ChangeKind.PRIORITY_BACK, cutoff="unavailable", cutoff_on=None, accepted=None, filing_list=None
            )
        ),
        "stalled, the person may ask": alert_context(
            _with_values(
                ChangeKind.STALLED,
                published_days=None,
                inquiry_from=None,
                inquiry_date="2026-07-01",
                as_of="2026-07-30",
                list="inquiry-dates.csv",
                may_ask=True,
            )
        ),
        "clock_set_back": channel_context(change(ChangeKind.CLOCK_SET_BACK)),
        "recovered, a channel": channel_context(works_again),
        "stage_changed and rfe_received, one alert": alert_context(evidence_requested, change(ChangeKind.RFE_RECEIVED)),
    }


def _stage_change(old: Json, new: Json) -> Change:
    severity = severity_of(ChangeKind.STAGE_CHANGED, _stage(new))
    return Change(kind=ChangeKind.STAGE_CHANGED, severity=severity, case_number=NUMBER, old=old, new=new)


def _received(kind: ChangeKind, new: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), case_number=NUMBER, subject="n-1", new=new)


def _closed(values: dict[str, Json], reason: str) -> Change:
    new: Json = values | {"state": "answered" if reason == "answered" else "closed", "reason": reason}
    kind = ChangeKind.ITEM_CLOSED
    return Change(kind=kind, severity=severity_of(kind), case_number=NUMBER, subject="n-1", old=values, new=new)


def _reminder(kind: ChangeKind, new: Json) -> Change:
    return Change(kind=kind, severity=severity_of(kind), case_number=NUMBER, subject="n-1", new=new)


def _stage(new: Json) -> Stage | None:
    return Stage(str(new["stage"])) if isinstance(new, dict) and "stage" in new else None


def _snapshot(changes: tuple[Change, ...], fields: dict[str, Any]) -> Snapshot:
    """Return the case after the changes: under review unless one of them gives another status."""
    values: dict[str, Any] = {"stage": "under_review", "status": "Case Is Being Actively Reviewed By USCIS"}
    for changed in changes:
        if isinstance(changed.new, dict) and "status" in changed.new and changed.kind is not ChangeKind.PART_CHANGED:
            values = dict(changed.new)
    known: dict[str, Any] = {
        "case_number": NUMBER,
        "form": "I-485",
        "stage": Stage(values["stage"]),
        "status": values["status"],
        "description": f"As of July 9, 2026, your Form I-485, Receipt Number {NUMBER}: {values['status']}.",
        "status_since": date(2026, 7, 9),
    }
    return Snapshot(**(known | fields))


def _history() -> tuple[RecordedChange, ...]:
    added = change(ChangeKind.CASE_ADDED)
    return (
        RecordedChange(id=1, at=datetime(2026, 6, 1, 12, tzinfo=UTC), account="family", change=added, summary="kept"),
    )
