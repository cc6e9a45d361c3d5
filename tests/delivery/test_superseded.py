from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.delivery.superseded import ChangeFact, ChannelAlert, fact_of, is_over, superseded
from watcher.model.alert import HoldReason
from watcher.model.change import Change, ChangeKind, Json, Severity, severity_of

ACCOUNT, NUMBER = "family", "IOE0000000001"


def fact(kind: ChangeKind, *, subject: str | None = None, number: str | None = NUMBER, new: Json = None) -> ChangeFact:
    return fact_of(ACCOUNT, Change(kind=kind, severity=severity_of(kind), case_number=number, subject=subject, new=new))


def is_dropped(old: ChangeFact, *newer: ChangeFact, hold_reason: HoldReason = HoldReason.QUIET) -> bool:
    later = [alert(index, fact) for index, fact in enumerate(newer, start=2)]
    return superseded([alert(1, old, hold_reason=hold_reason), *later]).keys() >= {1}


def alert(
    number: int,
    *facts: ChangeFact,
    hold_reason: HoldReason | None = None,
    severity: Severity = Severity.IMPORTANT,
) -> ChannelAlert:
    return ChannelAlert(id=number, severity=severity, facts=facts, hold_reason=hold_reason)


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
    both = alert(1, MOVED, RFE, hold_reason=HoldReason.QUIET)
    assert superseded([both, alert(2, MOVED)]) == {}
    assert superseded([both, alert(2, MOVED, CLOSED)]) == {}


def test_alert_with_several_facts_is_dropped_when_all_are_replaced() -> None:
    both = alert(1, MOVED, STAGE, hold_reason=HoldReason.QUIET)
    other = alert(2, ANOTHER_MOVED, hold_reason=HoldReason.QUIET)
    assert superseded([both, other, alert(3, STAGE, CANCELLED)]) == {1: 3}


def test_less_severe_alert_replaces_nothing() -> None:
    denied = alert(1, STAGE, hold_reason=HoldReason.QUIET, severity=Severity.URGENT)
    assert superseded([denied, alert(2, STAGE)]) == {}
    assert superseded([denied, alert(2, STAGE, severity=Severity.URGENT)]) == {1: 2}


def test_earlier_alert_replaces_nothing() -> None:
    assert superseded([alert(1, STAGE), alert(2, STAGE, hold_reason=HoldReason.QUIET)]) == {}


def test_alert_is_dropped_for_one_that_is_sent_not_for_one_that_is_dropped_itself() -> None:
    held = [alert(number, MOVED, hold_reason=HoldReason.QUIET) for number in (1, 2, 3)]
    assert superseded(held) == {1: 3, 2: 3}
    cancelled = [alert(1, CANCELLED, hold_reason=HoldReason.QUIET), alert(2, SCHEDULED, hold_reason=HoldReason.QUIET)]
    assert superseded([*cancelled, alert(3, CANCELLED)]) == {2: 3}, "the first and the last say the same"


def test_thousands_of_held_alerts_of_one_case_are_compared_in_proportion_to_their_number() -> None:
    reads = 0

    class Counted(tuple[ChangeFact, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[ChangeFact]:
            nonlocal reads
            reads += 1
            return super().__iter__()

    held = [alert(number, hold_reason=HoldReason.DIGEST) for number in range(1, 3000)]
    assert superseded([replace(entry, facts=Counted((STAGE,))) for entry in held]) == {}
    assert reads <= 3 * len(held)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (RFE, CLOSED),
        (SCHEDULED, CANCELLED),
        (STAGE, STAGE),
        (fact(ChangeKind.SIGN_IN_REJECTED, number=None), RECOVERED),
        (near("due_on", ChangeKind.DEADLINE_PASSED), CLOSED),
    ],
)
def test_escalation_is_over_when_a_later_change_of_the_case_ends_it(old: ChangeFact, new: ChangeFact) -> None:
    assert is_over([old], [STAGE, new])
    assert not is_over([old, ANOTHER_MOVED], [new])
    assert not is_over([old], [])


def test_escalation_goes_on_while_nothing_ends_it() -> None:
    assert not is_over([RFE], [STAGE, MOVED])
    assert not is_over([], [STAGE])


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
