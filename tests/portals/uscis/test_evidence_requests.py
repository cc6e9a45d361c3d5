"""A request for evidence comes out of every place that can carry it, in every order, once."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles import uscis_answers as said
from watcher.model.case import ItemKind, ItemState, PendingItem, Snapshot, Stage
from watcher.model.change import Change, ChangeKind
from watcher.portals.uscis.snapshot import snapshot
from watcher.reading.diff import diff
from watcher.reading.normalize import normalize

TODAY = date(2026, 11, 22)
ASKED = ("2026-11-02", "November 2, 2026", "11-02-2026")
AGAIN = ("2027-03-02", "March 2, 2027", "03-02-2027")
RFE_TITLE = "Request for Evidence Was Sent"
ANSWERED_TITLE = "Response To USCIS' Request For Evidence Was Received"

PLACES = ("listed", "title", "title, in history", "FBA", "IK", "IKE", "IKF", "RFE0", "letter", "document", "flag")
CARRIERS = tuple(place for place in PLACES if place != "flag")


def portal(places: Iterable[str], before: Iterable[str] = (), without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """What the portal says while a request of November shows in `places`, or one of March after that of November."""
    return _portal(
        {ASKED: frozenset(places)} if not before else {ASKED: frozenset(before), AGAIN: frozenset(places)}, without
    )


def _portal(requests: dict[tuple[str, str, str], frozenset[str]], without: tuple[str, ...]) -> dict[str, bytes]:
    events, letters, documents, listed, history = [], [], [], [], []
    status = said.status()
    flag = False
    for number, (days, places) in enumerate(requests.items(), start=1):
        day, words, american = days
        last = number == len(requests)
        events += [
            said.event(code, day, number=100 * number + place)
            for place, code in enumerate(("FBA", "IK", "IKE", "IKF", "RFE0"))
            if code in places
        ]
        if not last:
            events.append(said.event("HA", "2026-12-20", number=100 * number + 50))
        if "letter" in places:
            letters.append(said.letter(number, RFE_TITLE, day))
        if "document" in places:
            documents.append(said.document(number, "Request for Evidence Was Mailed", day))
        if any("listed" in each for each in requests.values()):  # the list holds every request once it holds any
            listed.append(said.request(number, answered=not last))
        if "title, in history" in places or ("title" in places and not last):
            history.append(said.earlier("Request for Initial Evidence Was Sent", american, "FBA"))
        if "title" in places and last:
            status = said.status(RFE_TITLE, words, text=f"On {words}, we sent a request for evidence.")
        flag = flag or "flag" in places
    case = said.case(events=events, notices=letters, evidenceRequests=listed, actionRequired=flag, updated="2027-03-05")
    return said.answers(case, {**status, "historicalCaseStatuses": history}, documents, without=without)


def told(reads: Sequence[dict[str, bytes]]) -> list[Change]:
    """Everything that these reads, one after the other, have as news, baseline included."""
    changes: list[Change] = []
    before: Snapshot | None = None
    for answers in reads:
        after = normalize(before, snapshot(answers, "en"), vocabulary="uscis")
        changes += diff(before, after, today=TODAY, vocabulary="uscis")
        before = after
    return changes


def count(changes: Sequence[Change], kind: ChangeKind) -> int:
    return sum(change.kind is kind for change in changes)


def rfes(answers: dict[str, bytes]) -> list[PendingItem]:
    return [item for item in snapshot(answers, "en").pending or () if item.kind is ItemKind.RFE]


@pytest.mark.parametrize("place", [place for place in CARRIERS if place != "title, in history"])
def test_each_place_alone_is_an_open_request(place: str) -> None:
    (item,) = rfes(portal([place]))
    assert item.state is ItemState.OPEN
    assert count(told([portal([]), portal([place])]), ChangeKind.RFE_RECEIVED) == 1


def test_a_flag_alone_is_a_task_and_says_nothing_of_evidence() -> None:
    (item,) = snapshot(portal(["flag"]), "en").pending or ()
    assert (item.kind, item.key) == (ItemKind.TASK, "action-required")


def test_a_flag_beside_a_request_is_no_item_of_its_own() -> None:
    (item,) = snapshot(portal(["flag", "IK"]), "en").pending or ()
    assert item.kind is ItemKind.RFE


OPEN_PLACES = st.sets(st.sampled_from(PLACES)).filter(
    lambda places: bool(places & (set(CARRIERS) - {"title, in history"}))
)


@settings(deadline=None)
@given(places=OPEN_PLACES)
def test_every_combination_is_one_request(places: set[str]) -> None:
    if "title, in history" in places and not places & {"title", "listed"}:
        return  # the titles have gone past it; see below
    (item,) = rfes(portal(places))
    assert (item.key, item.state) == ("rfe:1", ItemState.OPEN)


@settings(deadline=None, max_examples=60)
@given(
    order=st.permutations(["listed", "title", "FBA", "IK", "IKF", "RFE0", "letter", "document", "flag"]), data=st.data()
)
def test_it_is_told_once_in_whatever_order_the_places_show_it(order: list[str], data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, len(order)))
    reads = [portal([]), *(portal(order[:shown]) for shown in range(1, steps + 1))]
    expected = int(any(place != "flag" for place in order[:steps]))
    changes = told(reads)
    assert count(changes, ChangeKind.RFE_RECEIVED) == expected
    assert not [change for change in changes if change.kind is ChangeKind.ITEM_CLOSED and change.subject == "rfe:1"]


@settings(deadline=None, max_examples=60)
@given(
    first=st.sets(st.sampled_from(CARRIERS), min_size=1),
    order=st.permutations(["listed", "title", "FBA", "IK", "RFE0", "letter", "document"]),
)
def test_a_second_request_is_told_once_more_in_whatever_order(first: set[str], order: list[str]) -> None:
    if "title, in history" in first and len(first) == 1:
        first = {*first, "IK"}
    reads = [portal(order[:shown], before=first) for shown in range(1, len(order) + 1)]
    before_the_second = told(reads[:1])
    assert count(before_the_second, ChangeKind.RFE_RECEIVED) == 1
    assert count(told(reads), ChangeKind.RFE_RECEIVED) == 1
    (latest,) = [item for item in rfes(reads[-1]) if item.state is ItemState.OPEN]
    assert latest.key == "rfe:2"


@settings(deadline=None)
@given(places=st.sets(st.sampled_from(CARRIERS), min_size=1), missing=st.sampled_from(["status", "documents"]))
def test_an_endpoint_that_fails_for_a_while_closes_nothing_and_tells_nothing_twice(
    places: set[str], missing: str
) -> None:
    whole, part = portal(places), portal(places, without=(missing,))
    once = told([portal([]), whole])
    assert told([portal([]), whole, part, whole]) == once


def test_a_request_that_shows_while_another_endpoint_fails_is_told_at_once() -> None:
    changes = told([portal([]), portal(["IK"], without=("status",)), portal(["IK", "title"])])
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
def test_an_answer_is_taken_from_wherever_it_shows(answered: dict[str, Any]) -> None:
    events = [said.event("IK", "2026-11-02")]
    if "code" in answered:
        events.append(said.event("HA", "2026-11-20", number=2))
    letters = [said.letter(1, answered["letter"], "2026-11-20")] if "letter" in answered else []
    listed = [said.request(1, answered=True)] if "listed" in answered else []
    title = answered.get("title")
    status = said.status(title, "November 20, 2026") if title else said.status()
    (item,) = rfes(said.answers(said.case(events=events, notices=letters, evidenceRequests=listed), status))
    assert item.state is ItemState.ANSWERED


def test_a_list_that_takes_an_answer_back_has_an_open_request_again() -> None:
    answered = said.answers(said.case(evidenceRequests=[said.request(1, answered=True)]))
    reopened = said.answers(said.case(evidenceRequests=[said.request(1)]))
    assert [rfes(each)[0].state for each in (answered, reopened)] == [ItemState.ANSWERED, ItemState.OPEN]
    assert rfes(answered)[0].key == rfes(reopened)[0].key


def test_a_finalized_entry_of_the_list_is_not_open() -> None:
    (item,) = rfes(said.answers(said.case(evidenceRequests=[said.request(1, finalized=True)])))
    assert item.state is ItemState.ANSWERED


def test_an_event_dated_back_by_weeks_is_the_request_that_the_title_shows() -> None:
    case = said.case(events=[said.event("IK", "2026-10-01", written="2026-11-20")])
    title = said.status(RFE_TITLE, text="On November 20, 2026, we sent a request for evidence.")
    assert [item.key for item in rfes(said.answers(case, title))] == ["rfe:1"]


def test_an_event_dated_back_is_open_when_it_is_first_seen() -> None:
    case = said.case(events=[said.event("IK", "2026-08-01", written="2026-11-20")], updated="2026-11-20")
    (item,) = rfes(said.answers(case, said.status(day="October 15, 2026")))
    assert item.state is ItemState.OPEN


def test_the_same_event_written_again_is_no_second_request() -> None:
    events = [said.event("IK", "2026-11-02"), said.event("IK", "2026-11-02", written="2027-01-20", number=2)]
    assert [item.key for item in rfes(said.answers(said.case(events=events)))] == ["rfe:1"]


def test_a_request_of_long_ago_that_no_place_says_was_answered_is_not_open() -> None:
    case = said.case(events=[said.event("IK", "2024-02-01")])
    (item,) = rfes(said.answers(case, said.status("Case Is Being Actively Reviewed By USCIS")))
    assert item.state is ItemState.CLOSED


def test_a_request_that_the_titles_have_gone_past_is_closed() -> None:
    changes = told([portal(["title"]), portal([])])
    assert [change.kind for change in changes if change.subject == "rfe:1"] == [
        ChangeKind.RFE_RECEIVED,
        ChangeKind.ITEM_CLOSED,
    ]
    assert [item.state for item in rfes(portal(["IK", "title, in history"]))] == [ItemState.CLOSED]


def test_an_approved_case_has_no_open_request_however_the_list_stands() -> None:
    case = said.case(evidenceRequests=[said.request(1)], events=[said.event("IK", "2026-06-02")])
    assert [item.state for item in rfes(said.answers(case, said.status("Case Was Approved")))] == [ItemState.CLOSED]


def test_an_intent_to_deny_comes_out_of_title_code_and_letter_as_one_item_of_its_own_kind() -> None:
    case = said.case(
        events=[said.event("FE", "2026-11-01"), said.event("II", "2026-11-03", number=2)],
        notices=[said.letter(1, "Notice Of Intent To Deny Was Sent", "2026-11-03")],
        evidenceRequests=[{"letterId": "440000001", "isRespondedTo": False, "finalized": False}],
    )
    title = said.status("Notice Of Intent To Deny Was Sent", "November 3, 2026")
    shown = snapshot(said.answers(case, title), "en")
    assert [(item.key, item.kind) for item in shown.pending or ()] == [("intent_to_deny:1", ItemKind.INTENT_TO_DENY)]
    assert shown.stage is Stage.EVIDENCE_REQUESTED


def test_the_due_date_is_an_estimate_from_the_earliest_day_that_any_place_gives() -> None:
    case = said.case(events=[said.event("FBA", "2026-11-01"), said.event("IK", "2026-11-03", number=2)])
    (item,) = rfes(said.answers(case))
    assert (item.due_on, item.due_by_estimate) == (None, date(2027, 1, 24))


def test_a_flag_that_says_closed_does_not_hide_what_the_title_asks() -> None:
    answers = said.answers(said.case(closed=True), said.status(RFE_TITLE, "November 2, 2026"))
    assert [item.state for item in rfes(answers)] == [ItemState.OPEN]


def test_what_a_title_asks_stands_beside_a_request_with_its_own_estimate() -> None:
    title = said.status("Card Was Returned To USCIS And Will Be Held For 180 Days", "November 20, 2026")
    answers = said.answers(said.case(events=[said.event("IK", "2026-11-02")]), title)
    found = {item.kind: item.due_by_estimate for item in snapshot(answers, "en").pending or ()}
    assert found == {ItemKind.RFE: date(2027, 1, 25), ItemKind.TASK: date(2027, 5, 19)}
