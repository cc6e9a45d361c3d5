import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.delivery.superseded import ChangeFact, HeldAlert, fact_of, superseded
from watcher.model.alert import HoldReason
from watcher.model.change import Change, ChangeKind, Json, severity_of

ACCOUNT, NUMBER = "family", "IOE0000000001"


def said(kind: ChangeKind, *, subject: str | None = None, number: str | None = NUMBER, new: Json = None) -> ChangeFact:
    return fact_of(ACCOUNT, Change(kind=kind, severity=severity_of(kind), case_number=number, subject=subject, new=new))


def falls(old: ChangeFact, *newer: ChangeFact, hold: HoldReason = HoldReason.QUIET) -> bool:
    return superseded([HeldAlert(id=1, hold_reason=hold, facts=(old,))], newer) == (1,)


MOVED = said(ChangeKind.APPOINTMENT_CHANGED, subject="interview-1")
CANCELLED = said(ChangeKind.APPOINTMENT_CANCELLED, subject="interview-1")
SCHEDULED = said(ChangeKind.APPOINTMENT_SCHEDULED, subject="interview-1")
ANOTHER_MOVED = said(ChangeKind.APPOINTMENT_CHANGED, subject="interview-2")
STAGE = said(ChangeKind.STAGE_CHANGED)
RFE = said(ChangeKind.RFE_RECEIVED, subject="rfe-1")
CLOSED = said(ChangeKind.ITEM_CLOSED, subject="rfe-1")
BLIND = said(ChangeKind.BLIND, number=None)
RECOVERED = said(ChangeKind.RECOVERED, number=None, new={"after": "blind"})


def near(what: str, kind: ChangeKind = ChangeKind.DEADLINE_NEAR) -> ChangeFact:
    dates: dict[str, Json] = {"due_on": None, "starts_at": None, what: "2026-10-01"}
    return said(kind, subject="rfe-1", new=dates)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SCHEDULED, MOVED),
        (MOVED, MOVED),
        (MOVED, CANCELLED),
        (CANCELLED, SCHEDULED),
        (near("due_on"), near("due_on")),
        (near("due_on"), near("due_on", ChangeKind.DEADLINE_PASSED)),
        (near("due_on"), CLOSED),
        (near("starts_at"), CLOSED),
        (said(ChangeKind.STALLED, subject="stage"), STAGE),
        (said(ChangeKind.CASE_MISSING), said(ChangeKind.CASE_RETURNED)),
        (BLIND, RECOVERED),
    ],
)
@pytest.mark.parametrize("hold", list(HoldReason))
def test_a_held_alert_falls_where_a_later_one_says_it_anew(old: ChangeFact, new: ChangeFact, hold: HoldReason) -> None:
    assert falls(old, new, hold=hold)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (MOVED, ANOTHER_MOVED),
        (RFE, CLOSED),
        (RFE, STAGE),
        (STAGE, RFE),
        (near("due_on"), near("starts_at")),
        (near("due_on", ChangeKind.DEADLINE_PASSED), CLOSED),
        (near("due_on"), said(ChangeKind.APPOINTMENT_CHANGED, subject="rfe-1")),
        (near("due_on"), said(ChangeKind.ITEM_CHANGED, subject="rfe-1")),
        (said(ChangeKind.ITEM_CHANGED, subject="rfe-1"), said(ChangeKind.ITEM_CHANGED, subject="rfe-1")),
        (said(ChangeKind.NOTICE_ADDED, subject="n"), said(ChangeKind.NOTICE_CHANGED, subject="n")),
        (said(ChangeKind.HISTORY_ADDED, subject="h"), said(ChangeKind.HISTORY_ADDED, subject="h")),
        (STAGE, said(ChangeKind.STATUS_CHANGED)),
        (RECOVERED, BLIND),
    ],
)
@pytest.mark.parametrize("hold", list(HoldReason))
def test_a_held_alert_stays_where_the_later_one_leaves_it_true(
    old: ChangeFact, new: ChangeFact, hold: HoldReason
) -> None:
    assert not falls(old, new, hold=hold)


def test_another_case_makes_nothing_untrue() -> None:
    assert not falls(MOVED, said(ChangeKind.APPOINTMENT_CHANGED, subject="interview-1", number="IOE0000000002"))


def test_a_stage_that_moved_twice_overnight_is_told_once_and_twice_in_a_digest() -> None:
    assert falls(STAGE, STAGE, hold=HoldReason.QUIET)
    assert not falls(STAGE, STAGE, hold=HoldReason.DIGEST)


def test_an_alert_that_says_one_thing_more_stays_whole() -> None:
    both = HeldAlert(id=1, hold_reason=HoldReason.QUIET, facts=(MOVED, RFE))
    assert superseded([both], [MOVED]) == ()
    assert superseded([both], [MOVED, CLOSED]) == ()


def test_an_alert_of_several_facts_falls_when_all_are_said_anew() -> None:
    both = HeldAlert(id=1, hold_reason=HoldReason.QUIET, facts=(MOVED, STAGE))
    other = HeldAlert(id=2, hold_reason=HoldReason.QUIET, facts=(ANOTHER_MOVED,))
    assert superseded([both, other], [STAGE, CANCELLED]) == (1,)


@given(st.sampled_from(ChangeKind), st.sampled_from(ChangeKind), st.sampled_from(HoldReason), st.sampled_from("abc"))
def test_news_of_one_item_never_makes_news_of_another_untrue(
    old: ChangeKind, new: ChangeKind, hold: HoldReason, subject: str
) -> None:
    assert not falls(said(old, subject="it", number="IOE0000000001"), said(new, subject="it", number=None), hold=hold)
    about_the_case = {ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED, ChangeKind.STALLED}
    about_the_case |= {ChangeKind.CASE_MISSING, ChangeKind.CASE_RETURNED}
    if old not in about_the_case:
        assert not falls(said(old, subject="it"), said(new, subject=subject), hold=hold)
