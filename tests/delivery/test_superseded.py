import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.delivery.superseded import ChangeFact, HeldAlert, fact_of, superseded
from watcher.model.alert import HoldReason
from watcher.model.change import Change, ChangeKind, Json, severity_of

ACCOUNT, NUMBER = "family", "IOE0000000001"


def fact(kind: ChangeKind, *, subject: str | None = None, number: str | None = NUMBER, new: Json = None) -> ChangeFact:
    return fact_of(ACCOUNT, Change(kind=kind, severity=severity_of(kind), case_number=number, subject=subject, new=new))


def is_dropped(old: ChangeFact, *newer: ChangeFact, hold_reason: HoldReason = HoldReason.QUIET) -> bool:
    return superseded([HeldAlert(id=1, hold_reason=hold_reason, facts=(old,))], newer) == (1,)


MOVED = fact(ChangeKind.APPOINTMENT_CHANGED, subject="interview-1")
CANCELLED = fact(ChangeKind.APPOINTMENT_CANCELLED, subject="interview-1")
SCHEDULED = fact(ChangeKind.APPOINTMENT_SCHEDULED, subject="interview-1")
ANOTHER_MOVED = fact(ChangeKind.APPOINTMENT_CHANGED, subject="interview-2")
STAGE = fact(ChangeKind.STAGE_CHANGED)
RFE = fact(ChangeKind.RFE_RECEIVED, subject="rfe-1")
CLOSED = fact(ChangeKind.ITEM_CLOSED, subject="rfe-1")
BLIND = fact(ChangeKind.BLIND, number=None)
RECOVERED = fact(ChangeKind.RECOVERED, number=None, new={"after": "blind"})


def near(field: str, kind: ChangeKind = ChangeKind.DEADLINE_NEAR) -> ChangeFact:
    dates: dict[str, Json] = {"due_on": None, "starts_at": None, field: "2026-10-01"}
    return fact(kind, subject="rfe-1", new=dates)


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
        (fact(ChangeKind.STALLED, subject="stage"), STAGE),
        (fact(ChangeKind.CASE_MISSING), fact(ChangeKind.CASE_RETURNED)),
        (BLIND, RECOVERED),
    ],
)
@pytest.mark.parametrize("hold_reason", list(HoldReason))
def test_held_alert_is_dropped_if_a_later_one_replaces_it(
    old: ChangeFact, new: ChangeFact, hold_reason: HoldReason
) -> None:
    assert is_dropped(old, new, hold_reason=hold_reason)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (MOVED, ANOTHER_MOVED),
        (RFE, CLOSED),
        (RFE, STAGE),
        (STAGE, RFE),
        (near("due_on"), near("starts_at")),
        (near("due_on", ChangeKind.DEADLINE_PASSED), CLOSED),
        (near("due_on"), fact(ChangeKind.APPOINTMENT_CHANGED, subject="rfe-1")),
        (near("due_on"), fact(ChangeKind.ITEM_CHANGED, subject="rfe-1")),
        (fact(ChangeKind.ITEM_CHANGED, subject="rfe-1"), fact(ChangeKind.ITEM_CHANGED, subject="rfe-1")),
        (fact(ChangeKind.NOTICE_ADDED, subject="n"), fact(ChangeKind.NOTICE_CHANGED, subject="n")),
        (fact(ChangeKind.HISTORY_ADDED, subject="h"), fact(ChangeKind.HISTORY_ADDED, subject="h")),
        (STAGE, fact(ChangeKind.STATUS_CHANGED)),
        (RECOVERED, BLIND),
    ],
)
@pytest.mark.parametrize("hold_reason", list(HoldReason))
def test_held_alert_is_kept_if_it_is_still_true(old: ChangeFact, new: ChangeFact, hold_reason: HoldReason) -> None:
    assert not is_dropped(old, new, hold_reason=hold_reason)


def test_alert_of_another_case_replaces_nothing() -> None:
    assert not is_dropped(MOVED, fact(ChangeKind.APPOINTMENT_CHANGED, subject="interview-1", number="IOE0000000002"))


def test_repeated_stage_change_is_dropped_in_quiet_hours_but_kept_in_a_digest() -> None:
    assert is_dropped(STAGE, STAGE, hold_reason=HoldReason.QUIET)
    assert not is_dropped(STAGE, STAGE, hold_reason=HoldReason.DIGEST)


def test_alert_with_one_more_fact_is_kept() -> None:
    both = HeldAlert(id=1, hold_reason=HoldReason.QUIET, facts=(MOVED, RFE))
    assert superseded([both], [MOVED]) == ()
    assert superseded([both], [MOVED, CLOSED]) == ()


def test_alert_with_several_facts_is_dropped_when_all_are_replaced() -> None:
    both = HeldAlert(id=1, hold_reason=HoldReason.QUIET, facts=(MOVED, STAGE))
    other = HeldAlert(id=2, hold_reason=HoldReason.QUIET, facts=(ANOTHER_MOVED,))
    assert superseded([both, other], [STAGE, CANCELLED]) == (1,)


@given(st.sampled_from(ChangeKind), st.sampled_from(ChangeKind), st.sampled_from(HoldReason), st.sampled_from("abc"))
def test_change_of_one_item_never_replaces_that_of_another(
    old: ChangeKind, new: ChangeKind, hold_reason: HoldReason, subject: str
) -> None:
    assert not is_dropped(
        fact(old, subject="it", number="IOE0000000001"), fact(new, subject="it", number=None), hold_reason=hold_reason
    )
    about_the_case = {ChangeKind.STAGE_CHANGED, ChangeKind.STATUS_CHANGED, ChangeKind.STALLED}
    about_the_case |= {ChangeKind.CASE_MISSING, ChangeKind.CASE_RETURNED}
    if old not in about_the_case:
        assert not is_dropped(fact(old, subject="it"), fact(new, subject=subject), hold_reason=hold_reason)
