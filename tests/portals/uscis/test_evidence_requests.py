"""A request for evidence is reported once, whichever sources show it and in whichever order."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as fake
from watcher.model.case import ItemKind, ItemState, PendingItem, Snapshot, Stage
from watcher.model.change import Change, ChangeKind
from watcher.portals.uscis.snapshot import snapshot
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
ASKED = ("2026-11-02", "November 2, 2026", "11-02-2026")
AGAIN = ("2027-03-02", "March 2, 2027", "03-02-2027")
RFE_TITLE = "Request for Evidence Was Sent"
ANSWERED_TITLE = "Response To USCIS' Request For Evidence Was Received"

SOURCES = ("listed", "title", "title, in history", "FBA", "IK", "IKE", "IKF", "RFE0", "letter", "document", "flag")
REQUEST_SOURCES = tuple(source for source in SOURCES if source != "flag")


def portal_answers(
    sources: Iterable[str], before: Iterable[str] = (), without: tuple[str, ...] = ()
) -> dict[str, bytes]:
    """Return answers in which `sources` show a request of November, or one of March if `before` show November's."""
    return _portal_answers(
        {ASKED: frozenset(sources)} if not before else {ASKED: frozenset(before), AGAIN: frozenset(sources)}, without
    )


def _portal_answers(requests: dict[tuple[str, str, str], frozenset[str]], without: tuple[str, ...]) -> dict[str, bytes]:
    events, letters, documents, listed, history = [], [], [], [], []
    status = fake.status()
    flag = False
    for number, (days, sources) in enumerate(requests.items(), start=1):
        day, words, american = days
        last = number == len(requests)
        events += [
            fake.event(code, day, number=100 * number + position)
            for position, code in enumerate(("FBA", "IK", "IKE", "IKF", "RFE0"))
            if code in sources
        ]
        if not last:
            events.append(fake.event("HA", "2026-12-20", number=100 * number + 50))
        if "letter" in sources:
            letters.append(fake.letter(number, RFE_TITLE, day))
        if "document" in sources:
            documents.append(fake.document(number, "Request for Evidence Was Mailed", day))
        if any("listed" in sources for sources in requests.values()):  # the list has every request once it has any
            listed.append(fake.request(number, answered=not last))
        if "title, in history" in sources or ("title" in sources and not last):
            history.append(fake.earlier("Request for Initial Evidence Was Sent", american, "FBA"))
        if "title" in sources and last:
            status = fake.status(RFE_TITLE, words, text=f"On {words}, we sent a request for evidence.")
        flag = flag or "flag" in sources
    case = fake.case(events=events, notices=letters, evidenceRequests=listed, actionRequired=flag, updated="2027-03-05")
    return fake.answers(case, {**status, "historicalCaseStatuses": history}, documents, without=without)


def changes_of(checks: Sequence[dict[str, bytes]]) -> list[Change]:
    """Return all changes of these consecutive checks, those of the first one included."""
    changes: list[Change] = []
    before: Snapshot | None = None
    for answers in checks:
        after = normalize(before, snapshot(answers, "en"), vocabulary="uscis")
        changes += diff(before, after, now=NOW, zone=ZONE, vocabulary="uscis")
        before = after
    return changes


def count(changes: Sequence[Change], kind: ChangeKind) -> int:
    return sum(change.kind is kind for change in changes)


def rfes(answers: dict[str, bytes]) -> list[PendingItem]:
    return [item for item in snapshot(answers, "en").pending or () if item.kind is ItemKind.RFE]


@pytest.mark.parametrize("source", [source for source in REQUEST_SOURCES if source != "title, in history"])
def test_each_source_alone_is_an_open_request(source: str) -> None:
    (item,) = rfes(portal_answers([source]))
    assert item.state is ItemState.OPEN
    assert count(changes_of([portal_answers([]), portal_answers([source])]), ChangeKind.RFE_RECEIVED) == 1


def test_flag_alone_is_a_task_and_not_a_request() -> None:
    (item,) = snapshot(portal_answers(["flag"]), "en").pending or ()
    assert (item.kind, item.key) == (ItemKind.TASK, "action-required")


def test_flag_with_a_request_is_not_a_separate_item() -> None:
    (item,) = snapshot(portal_answers(["flag", "IK"]), "en").pending or ()
    assert item.kind is ItemKind.RFE


OPEN_SOURCES = st.sets(st.sampled_from(SOURCES)).filter(
    lambda sources: bool(sources & (set(REQUEST_SOURCES) - {"title, in history"}))
)


@settings(deadline=None)
@given(sources=OPEN_SOURCES)
def test_every_combination_of_sources_is_one_request(sources: set[str]) -> None:
    if "title, in history" in sources and not sources & {"title", "listed"}:
        return  # the titles have moved past it; see below
    (item,) = rfes(portal_answers(sources))
    assert item.state is ItemState.OPEN


@settings(deadline=None, max_examples=60)
@given(
    order=st.permutations(["listed", "title", "FBA", "IK", "IKF", "RFE0", "letter", "document", "flag"]), data=st.data()
)
def test_request_is_reported_once_in_any_order_of_sources(order: list[str], data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, len(order)))
    checks = [portal_answers([]), *(portal_answers(order[:count_shown]) for count_shown in range(1, steps + 1))]
    expected = int(any(source != "flag" for source in order[:steps]))
    changes = changes_of(checks)
    assert count(changes, ChangeKind.RFE_RECEIVED) == expected
    assert not [
        change for change in changes if change.kind is ChangeKind.ITEM_CLOSED and str(change.subject).startswith("rfe:")
    ]


@settings(deadline=None, max_examples=60)
@given(
    first=st.sets(st.sampled_from(REQUEST_SOURCES), min_size=1),
    order=st.permutations(["listed", "title", "FBA", "IK", "RFE0", "letter", "document"]),
)
def test_second_request_is_reported_once_in_any_order_of_sources(first: set[str], order: list[str]) -> None:
    if "title, in history" in first and len(first) == 1:
        first = {*first, "IK"}
    checks = [portal_answers(order[:count_shown], before=first) for count_shown in range(1, len(order) + 1)]
    first_changes = changes_of(checks[:1])
    assert count(first_changes, ChangeKind.RFE_RECEIVED) == 1
    assert count(changes_of(checks), ChangeKind.RFE_RECEIVED) == 1
    (latest,) = [item for item in rfes(checks[-1]) if item.state is ItemState.OPEN]
    assert latest.asked_on in {date(2027, 3, 2), None}


@settings(deadline=None)
@given(sources=st.sets(st.sampled_from(REQUEST_SOURCES), min_size=1), missing=st.sampled_from(["status", "documents"]))
def test_temporarily_failing_endpoint_closes_and_repeats_nothing(sources: set[str], missing: str) -> None:
    complete, partial = portal_answers(sources), portal_answers(sources, without=(missing,))
    once = changes_of([portal_answers([]), complete])
    assert changes_of([portal_answers([]), complete, partial, complete]) == once


def test_request_is_reported_at_once_while_another_endpoint_fails() -> None:
    changes = changes_of(
        [portal_answers([]), portal_answers(["IK"], without=("status",)), portal_answers(["IK", "title"])]
    )
    assert count(changes, ChangeKind.RFE_RECEIVED) == 1


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param({"listed": True}, id="the list says so"),
        pytest.param({"title": ANSWERED_TITLE}, id="the title says so"),
        pytest.param({"code": "HA"}, id="an event says so"),
        pytest.param({"letter": "Response To Request For Evidence Was Received"}, id="a letter says so"),
    ],
)
def test_answer_is_recognized_in_every_source(answered: dict[str, Any]) -> None:
    events = [fake.event("IK", "2026-11-02")]
    if "code" in answered:
        events.append(fake.event("HA", "2026-11-20", number=2))
    letters = [fake.letter(1, answered["letter"], "2026-11-20")] if "letter" in answered else []
    listed = [fake.request(1, answered=True)] if "listed" in answered else []
    title = answered.get("title")
    status = fake.status(title, "November 20, 2026") if title else fake.status()
    (item,) = rfes(fake.answers(fake.case(events=events, notices=letters, evidenceRequests=listed), status))
    assert item.state is ItemState.ANSWERED


def test_request_is_open_again_if_the_list_withdraws_the_answer() -> None:
    answered = fake.answers(fake.case(evidenceRequests=[fake.request(1, answered=True)]))
    reopened = fake.answers(fake.case(evidenceRequests=[fake.request(1)]))
    assert [rfes(answers)[0].state for answers in (answered, reopened)] == [ItemState.ANSWERED, ItemState.OPEN]
    assert rfes(answered)[0].key == rfes(reopened)[0].key


def test_finalized_entry_is_not_open() -> None:
    (item,) = rfes(fake.answers(fake.case(evidenceRequests=[fake.request(1, finalized=True)])))
    assert item.state is ItemState.ANSWERED


def test_event_backdated_by_weeks_belongs_to_the_request_in_the_title() -> None:
    case = fake.case(events=[fake.event("IK", "2026-10-01", recorded="2026-11-20")])
    title = fake.status(RFE_TITLE, text="On November 20, 2026, we sent a request for evidence.")
    assert len(rfes(fake.answers(case, title))) == 1


def test_backdated_event_is_open_when_first_seen() -> None:
    case = fake.case(events=[fake.event("IK", "2026-08-01", recorded="2026-11-20")], updated="2026-11-20")
    (item,) = rfes(fake.answers(case, fake.status(day="October 15, 2026")))
    assert item.state is ItemState.OPEN


def test_repeated_event_is_not_a_second_request() -> None:
    events = [fake.event("IK", "2026-11-02"), fake.event("IK", "2026-11-02", recorded="2027-01-20", number=2)]
    assert [item.key for item in rfes(fake.answers(fake.case(events=events)))] == ["rfe:2026-11-02"]


def test_old_request_without_an_answer_is_not_open() -> None:
    case = fake.case(events=[fake.event("IK", "2024-02-01")])
    (item,) = rfes(fake.answers(case, fake.status("Case Is Being Actively Reviewed By USCIS")))
    assert item.state is ItemState.CLOSED


def test_request_stays_open_while_no_title_answers_it() -> None:
    changes = changes_of([portal_answers(["title"]), portal_answers([])])
    assert [change.kind for change in changes if str(change.subject).startswith("rfe:")] == [ChangeKind.RFE_RECEIVED]
    assert [item.state for item in rfes(portal_answers(["IK", "title, in history"]))] == [ItemState.OPEN]


def test_approved_case_has_no_open_request_even_if_the_list_has() -> None:
    case = fake.case(evidenceRequests=[fake.request(1)], events=[fake.event("IK", "2026-06-02")])
    assert [item.state for item in rfes(fake.answers(case, fake.status("Case Was Approved")))] == [ItemState.CLOSED]


def test_intent_to_deny_in_title_code_and_letter_is_one_item() -> None:
    case = fake.case(
        events=[fake.event("FE", "2026-11-01"), fake.event("II", "2026-11-03", number=2)],
        notices=[fake.letter(1, "Notice Of Intent To Deny Was Sent", "2026-11-03")],
        evidenceRequests=[{"letterId": "440000001", "isRespondedTo": False, "finalized": False}],
    )
    title = fake.status("Notice Of Intent To Deny Was Sent", "November 3, 2026")
    result = snapshot(fake.answers(case, title), "en")
    assert [(item.key, item.kind) for item in result.pending or ()] == [
        ("intent_to_deny:440000001", ItemKind.INTENT_TO_DENY)
    ]
    assert result.stage is Stage.EVIDENCE_REQUESTED


def test_due_date_is_estimated_from_the_earliest_day_of_any_source() -> None:
    case = fake.case(events=[fake.event("FBA", "2026-11-01"), fake.event("IK", "2026-11-03", number=2)])
    (item,) = rfes(fake.answers(case))
    assert (item.due_on, item.due_by_estimate) == (None, date(2027, 1, 24))


def test_closed_flag_does_not_hide_the_request_in_the_title() -> None:
    answers = fake.answers(fake.case(closed=True), fake.status(RFE_TITLE, "November 2, 2026"))
    assert [item.state for item in rfes(answers)] == [ItemState.OPEN]


def test_item_of_the_title_has_its_own_estimate_beside_a_request() -> None:
    title = fake.status("Card Was Returned To USCIS And Will Be Held For 180 Days", "November 20, 2026")
    answers = fake.answers(fake.case(events=[fake.event("IK", "2026-11-02")]), title)
    result = normalize(None, snapshot(answers, "en"), vocabulary="uscis")
    estimates = {item.kind: item.due_by_estimate for item in result.pending or ()}
    assert estimates == {ItemKind.RFE: date(2027, 1, 25), ItemKind.TASK: date(2027, 5, 19)}
