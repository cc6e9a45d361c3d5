"""Requests and appointments over several checks, one example for each kind of mistake that was once made.

`tests/reading/test_item_stories.py` covers the orders in which sources tell a story; these are its short, named cases.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.doubles import uscis_answers as fake
from tests.doubles.ircc import immigration
from watcher.language.status_meaning import meaning_of
from watcher.model.appointment_time import appointment_time
from watcher.model.case import ItemKind, ItemState, PendingItem, Snapshot
from watcher.model.change import Change, ChangeKind, CloseReason
from watcher.portals.ircc.snapshot import read_case
from watcher.portals.uscis.snapshot import snapshot as uscis_snapshot
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize

RFE, RFE_AGAIN = "Request for Initial Evidence Was Sent", "Request for Additional Evidence Was Sent"
RECEIVED = "Response To USCIS' Request For Evidence Was Received"
REVIEW = "Case Is Being Actively Reviewed By USCIS"
BIOMETRICS = "Biometrics Appointment Was Scheduled"
SCHEDULED, RESCHEDULED, CANCELLED = (
    "Interview Was Scheduled",
    "Interview Was Rescheduled",
    "Interview Was Cancelled",
)
START = datetime(2026, 6, 2, 12, tzinfo=UTC)
LIST = "case.pending"
NEW_YORK, SYDNEY, HONOLULU = (ZoneInfo(name) for name in ("America/New_York", "Australia/Sydney", "Pacific/Honolulu"))


@dataclass(slots=True, kw_only=True)
class Checks:
    """The checks of one case, a day apart."""

    vocabulary: str = "general"
    zone: ZoneInfo = NEW_YORK
    now: datetime = START
    before: Snapshot | None = None
    changes: list[Change] = field(default_factory=list)

    def add(self, fresh: Snapshot, *, now: datetime | None = None) -> list[tuple[ChangeKind, str | None]]:
        """Make a check, and return the kind and the subject of each change about an item."""
        self.now = now or self.now + timedelta(days=1)
        after = normalize(self.before, fresh, vocabulary=self.vocabulary)
        changes = diff(self.before, after, now=self.now, zone=self.zone, vocabulary=self.vocabulary)
        self.before, self.changes = after, [*self.changes, *changes]
        keys = {item.key for item in after.pending or ()}
        return [(change.kind, change.subject) for change in changes if change.subject in keys]

    def reasons(self) -> list[object]:
        """Return why the last check closed items."""
        return [change.new.get("reason") for change in self.changes if isinstance(change.new, dict)]

    def open_items(self) -> list[PendingItem]:
        return [item for item in (self.before and self.before.pending) or () if item.is_open]


def shown(title: str, day: str | None = None, *pending: PendingItem, text: str | None = None) -> Snapshot:
    """Return a recipe's snapshot with a status and a list of items."""
    return Snapshot(
        case_number="A-1",
        status=title,
        stage=meaning_of(title, vocabulary="general").stage,
        status_since=None if day is None else date.fromisoformat(day),
        description=text,
        pending=pending,
        answered_sources=frozenset({LIST}),
    )


def listed(key: str, kind: ItemKind, *, has_id: bool = True, at: str | None = None, **values: Any) -> PendingItem:
    starts_at = None if at is None else appointment_time(datetime.fromisoformat(at))
    portal_id = key if has_id else None
    values = {"title": "Something", "starts_at": starts_at, "portal_id": portal_id, **values}
    return PendingItem(key=key, kind=kind, sources=frozenset({LIST}), **values)


def uscis(title: str, day: str, *letters: fake.ENCODED, text: str | None = None, **parts: Any) -> Snapshot:
    """Return the online account's snapshot. `day` is that of the text and of the action code."""
    earlier = [fake.earlier(*line) for line in parts.pop("earlier", ())]
    stated = date.fromisoformat(day)
    status = fake.status(
        title, f"{stated:%B} {stated.day}, {stated.year}", text=text, historicalCaseStatuses=earlier,
        currentActionCodeDate=f"{day}T21:58:24.000Z",
    )  # fmt: skip
    return uscis_snapshot(fake.answers(fake.case(updated=day, notices=list(letters), **parts), status), "en")


def ircc(actions: list[dict[str, Any]] | None, tasks: int) -> Snapshot:
    details = immigration("E000000001")
    details["relations"][0]["actions"] = actions
    profile = {"apps": [{"appNumber": "E000000001", "tasks": tasks}]}
    answers = {"get-profile-summary": profile, "get-application-details": details}
    return read_case({name: json.dumps(answer).encode() for name, answer in answers.items()}, "en")


class TestRequests:
    @pytest.mark.parametrize("has_id", [True, False])
    @pytest.mark.parametrize("day", [None, "2026-06-01"])
    def test_a_request_that_the_list_shows_later_stays_one_item(self, day: str | None, *, has_id: bool) -> None:
        checks, entry = Checks(), listed("rfe:send papers", ItemKind.RFE, has_id=has_id)
        assert checks.add(shown(RFE, day))[0][0] is ChangeKind.RFE_RECEIVED
        for _ in range(3):
            assert checks.add(shown(RFE, day, entry)) == []
        assert checks.add(shown(REVIEW, day and "2026-06-06", entry)) == []
        assert [kind for kind, _ in checks.add(shown(REVIEW, day and "2026-06-06"))] == [ChangeKind.ITEM_CLOSED]
        assert len((checks.before and checks.before.pending) or ()) == 1

    def test_an_empty_list_closes_nothing_while_the_title_asks(self) -> None:
        checks, entry = Checks(), listed("R7", ItemKind.RFE, due_on=date(2026, 9, 1))
        checks.add(shown(RFE, "2026-06-01", entry))
        assert checks.add(shown(RFE, "2026-06-01")) == []
        assert checks.add(shown(RFE, "2026-06-01", entry)) == []

    def test_another_entry_in_the_list_ends_the_one_before(self) -> None:
        checks = Checks()
        checks.add(shown(RFE, None, listed("R7", ItemKind.RFE)))
        changes = checks.add(shown(RFE, None, listed("R8", ItemKind.RFE)))
        assert changes == [(ChangeKind.ITEM_CLOSED, "R7"), (ChangeKind.RFE_RECEIVED, "R8")]

    def test_a_title_that_asks_is_a_request_whatever_else_is_listed(self) -> None:
        checks, fee = Checks(), listed("F", ItemKind.FEE, state=ItemState.ANSWERED)
        checks.add(shown(REVIEW, "2026-05-01", fee))
        assert checks.add(shown(RFE, "2026-06-01", fee)) == [(ChangeKind.RFE_RECEIVED, "status:rfe:2026-06-01")]

    def test_a_request_after_an_answered_one_is_another_item(self) -> None:
        checks = Checks()
        for title in (RFE, RECEIVED):
            checks.add(shown(title))
        assert checks.add(shown(RFE)) == [(ChangeKind.RFE_RECEIVED, "status:rfe#2")]
        assert checks.add(shown(RFE_AGAIN)) == [(ChangeKind.RFE_RECEIVED, "status:rfe#3")]

    @pytest.mark.parametrize("has_id", [True, False])
    def test_the_same_entry_after_an_answer_and_a_new_title_is_another_item(self, *, has_id: bool) -> None:
        checks, entry = Checks(), listed("R7", ItemKind.RFE, has_id=has_id)
        checks.add(shown(RFE, None, entry))
        assert checks.add(shown(RECEIVED)) == [(ChangeKind.ITEM_CLOSED, "R7")]
        assert checks.add(shown(RFE_AGAIN, None, entry)) == [(ChangeKind.RFE_RECEIVED, "R7#2")]
        assert checks.add(shown(RFE_AGAIN, None, entry)) == []
        assert checks.add(shown(RECEIVED)) == [(ChangeKind.ITEM_CLOSED, "R7#2")]

    def test_a_new_text_and_a_later_update_are_no_second_request(self) -> None:
        checks = Checks(vocabulary="uscis")
        checks.add(uscis(RFE, "2026-06-01", text="Send the papers."))
        assert checks.add(uscis(RFE, "2026-07-13", text="Please send the papers.")) == []
        assert checks.before is not None
        assert checks.before.status_since == date(2026, 6, 1)

    @pytest.mark.parametrize(("day", "count"), [("2026-06-03", 1), ("2026-08-03", 2)])
    def test_the_day_that_is_stated_tells_a_correction_from_a_second_request(self, day: str, count: int) -> None:
        checks = Checks()
        checks.add(shown(RFE, "2026-06-01", text="Send the papers"))
        checks.add(shown(RFE, day, text="Please send the papers"))
        assert len(checks.open_items()) == count

    def test_a_withdrawn_request_stays_closed_when_the_case_goes_on(self) -> None:
        checks, letter, event = Checks(vocabulary="uscis"), fake.letter(1, RFE, "2026-06-01"), fake.event
        events = [event("IK", "2026-06-01")]
        checks.add(uscis(RFE, "2026-06-01", letter, events=events, evidenceRequests=[fake.request(1)]))
        withdrawn = uscis("Request For Evidence Was Withdrawn", "2026-06-10", letter, events=events)
        assert checks.add(withdrawn) == [(ChangeKind.ITEM_CLOSED, "rfe:n-1")]
        assert checks.add(uscis(REVIEW, "2026-06-14", letter, events=events)) == []

    def test_older_requests_that_come_to_light_rename_nothing(self) -> None:
        checks = Checks(vocabulary="uscis")
        first = uscis(RFE, "2026-06-01")
        checks.add(replace(first, answered_sources=frozenset({"status"}), silent=frozenset({"case.evidence_requests"})))
        both = [fake.request(1, answered=True), fake.request(2)]
        events = [fake.event("IK", "2024-01-01"), fake.event("HA", "2024-03-01", number=2)]
        assert checks.add(uscis(RFE, "2026-06-01", evidenceRequests=both, events=events)) == []
        assert [item.key for item in checks.open_items()] == ["rfe:2026-06-01"]


class TestTasks:
    GIVE, SEND = (
        {"id": "a1", "title": {"en": "Give your biometrics"}, "activity": "biometrics"},
        {"id": "a2", "title": {"en": "Send more documents"}, "activity": "documents"},
    )

    def test_a_number_of_tasks_that_gets_a_name_stays_one_item(self) -> None:
        checks = Checks(vocabulary="ircc")
        assert checks.add(ircc(None, 1)) == [(ChangeKind.ITEM_ADDED, "tasks")]
        assert checks.add(ircc([self.GIVE], 1)) == [(ChangeKind.APPOINTMENT_SCHEDULED, "tasks")]
        assert checks.add(ircc([self.GIVE], 1)) == []
        assert checks.add(ircc(None, 2)) == []
        assert checks.add(ircc([self.SEND, self.GIVE], 2)) == [(ChangeKind.ITEM_ADDED, "action a2")]

    def test_the_name_of_a_task_is_news(self) -> None:
        checks = Checks(vocabulary="ircc")
        checks.add(ircc(None, 1))
        assert checks.add(ircc([self.SEND], 1)) == [(ChangeKind.ITEM_CHANGED, "tasks")]

    def test_biometrics_that_are_no_longer_asked_for_are_not_called_off(self) -> None:
        checks = Checks(vocabulary="ircc")
        checks.add(ircc([self.GIVE], 1))
        assert checks.add(ircc(None, 1)) == []
        assert checks.add(ircc([], 0)) == [(ChangeKind.ITEM_CLOSED, "action a1")]


class TestAppointments:
    FIRST = fake.letter(1, "Appointment Scheduled", "2026-06-01", appointment="2026-07-20T14:00:00.000Z")
    SECOND = fake.letter(2, "Appointment Scheduled", "2026-06-20", appointment="2026-08-10T14:00:00.000Z")

    def test_biometrics_stand_when_an_interview_is_cancelled(self) -> None:
        checks, earlier = Checks(vocabulary="uscis"), [(BIOMETRICS, "06-01-2026")]
        checks.add(uscis(BIOMETRICS, "2026-06-01", self.FIRST))
        assert checks.add(uscis(SCHEDULED, "2026-06-10", self.FIRST, earlier=earlier)) == [
            (ChangeKind.APPOINTMENT_SCHEDULED, "status:interview:2026-06-10")
        ]
        earlier.append((SCHEDULED, "06-10-2026"))
        assert checks.add(uscis(CANCELLED, "2026-06-12", self.FIRST, earlier=earlier)) == [
            (ChangeKind.APPOINTMENT_CANCELLED, "status:interview:2026-06-10")
        ]
        assert [item.kind for item in checks.open_items()] == [ItemKind.BIOMETRICS]

    @pytest.mark.parametrize("letter_comes_late", [False, True])
    def test_a_rescheduled_interview_that_is_cancelled_leaves_none(self, *, letter_comes_late: bool) -> None:
        checks, earlier = Checks(vocabulary="uscis"), [(SCHEDULED, "06-01-2026")]
        checks.add(uscis(SCHEDULED, "2026-06-01", self.FIRST))
        if letter_comes_late:
            assert checks.add(uscis(RESCHEDULED, "2026-06-20", self.FIRST, earlier=earlier)) == []
        assert checks.add(uscis(RESCHEDULED, "2026-06-20", self.FIRST, self.SECOND, earlier=earlier)) == [
            (ChangeKind.ITEM_CLOSED, "appointment:440000001"),
            (ChangeKind.APPOINTMENT_SCHEDULED, "appointment:440000002"),
        ]
        assert CloseReason.REPLACED in checks.reasons()
        earlier.append((RESCHEDULED, "06-20-2026"))
        assert checks.add(uscis(CANCELLED, "2026-06-28", self.FIRST, self.SECOND, earlier=earlier)) == [
            (ChangeKind.APPOINTMENT_CANCELLED, "appointment:440000002")
        ]
        assert checks.open_items() == []

    @pytest.mark.parametrize("day", [None, "2026-06-20"])
    @pytest.mark.parametrize("again", [SCHEDULED, RESCHEDULED])
    def test_what_only_titles_announce_is_one_appointment_at_a_time(self, again: str, day: str | None) -> None:
        checks = Checks()
        checks.add(shown(SCHEDULED, day and "2026-06-01"))
        checks.add(shown(again, day))
        assert len(checks.open_items()) == 1
        assert ChangeKind.APPOINTMENT_CANCELLED in dict(checks.add(shown(CANCELLED, day and "2026-06-28")))
        assert checks.open_items() == []

    def test_the_end_of_the_case_does_not_call_off_an_interview_without_a_date(self) -> None:
        checks = Checks()
        checks.add(shown(SCHEDULED, "2026-06-01"))
        assert [kind for kind, _ in checks.add(shown("Case Was Approved", "2026-09-01"))] == [ChangeKind.ITEM_CLOSED]

    def test_a_cancellation_that_could_mean_either_of_two_closes_none(self) -> None:
        checks = Checks()
        both = [listed(f"i{month}", ItemKind.INTERVIEW, at=f"2026-0{month}-20T10:00:00") for month in (7, 8)]
        checks.add(shown(SCHEDULED, None, *both))
        assert checks.add(shown(CANCELLED, None, *both)) == []
        assert checks.changes[-1].severity.value == "urgent"
        assert checks.add(shown(CANCELLED, None, both[0])) == [(ChangeKind.APPOINTMENT_CANCELLED, "i8")]

    @pytest.mark.parametrize(
        ("zone", "at", "gone_at", "kind"),
        [
            (NEW_YORK, "2026-07-09T15:00:00", "2026-07-09T12:00", ChangeKind.APPOINTMENT_CANCELLED),
            (NEW_YORK, "2026-07-09T15:00:00", "2026-07-09T19:30", ChangeKind.ITEM_CLOSED),
            (SYDNEY, "2026-07-09T23:00:00+00:00", "2026-07-09T22:00", ChangeKind.APPOINTMENT_CANCELLED),
            (SYDNEY, "2026-07-09T23:00:00+00:00", "2026-07-09T23:01", ChangeKind.ITEM_CLOSED),
            (HONOLULU, "2026-07-09T00:00:00", "2026-07-10T09:00", ChangeKind.APPOINTMENT_CANCELLED),
            (HONOLULU, "2026-07-09T00:00:00", "2026-07-10T10:00", ChangeKind.ITEM_CLOSED),
        ],
    )
    def test_what_disappears_is_judged_by_the_moment(
        self, zone: ZoneInfo, at: str, gone_at: str, kind: ChangeKind
    ) -> None:
        checks = Checks(zone=zone)
        checks.add(shown(REVIEW, "2026-05-01", listed("i", ItemKind.INTERVIEW, at=at)))
        moment = datetime.fromisoformat(gone_at).replace(tzinfo=UTC)
        assert checks.add(shown(REVIEW, "2026-05-01"), now=moment) == [(kind, "i")]
