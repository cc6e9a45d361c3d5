"""The oracle finds an alert that came twice without a kill that explains it, or that was lost or invented."""

import pytest

from tests.adversary.channel import Arrival
from tests.adversary.oracle import Alert, Verdict, judge_arrivals
from tests.adversary.processes import Kill

SENDER, OTHER = 10, 20
ALERT = Alert(
    id=1,
    channel="phone",
    state="sent",
    severity="urgent",
    case_number="IOE0900000011",
    text=("title", "body"),
    covered_by=None,
    changes=frozenset({1}),
)


def arrived(at: float, group: int = SENDER, title: str = "title") -> Arrival:
    return Arrival(target="phone", title=title, body="body", began=at, group=group, accepted=at + 0.1)


def killed(at: float, group: int = SENDER, unsent: frozenset[int] | None = frozenset({1})) -> Kill:
    return Kill(victim="run", group=group, at=at, gone=at + 0.01, unsent=unsent)


def judged(*arrivals: Arrival, kill: Kill | None = None) -> Verdict:
    verdict = Verdict()
    judge_arrivals(verdict, "phone", arrivals, [ALERT], [kill] if kill else [])
    return verdict


def test_an_alert_that_arrived_once_is_right() -> None:
    assert not judged(arrived(1)).faults


@pytest.mark.parametrize(("kill_at", "counted"), [(1.2, (1, 0)), (1.05, (0, 1))])
def test_a_second_arrival_is_explained_by_a_kill_of_the_sender_before_its_commit(
    kill_at: float, counted: tuple[int, int]
) -> None:
    verdict = judged(arrived(1), arrived(5, OTHER), kill=killed(kill_at))
    assert not verdict.faults
    assert (verdict.after_acceptance, verdict.in_flight) == counted


@pytest.mark.parametrize(
    "kill",
    [
        None,
        killed(0.5),
        killed(6),
        killed(1.2, OTHER),
        killed(1.2, unsent=frozenset()),
        killed(1.2, unsent=None),
    ],
    ids=["none", "before it", "after both", "of another process", "after the commit", "state unknown"],
)
def test_a_second_arrival_without_such_a_kill_is_a_fault(kill: Kill | None) -> None:
    assert judged(arrived(1), arrived(5, OTHER), kill=kill).unproved


def test_one_kill_explains_one_second_arrival_only() -> None:
    assert judged(arrived(1), arrived(5, OTHER), arrived(9, OTHER), kill=killed(1.2)).unproved


def test_what_was_marked_as_sent_and_never_accepted_is_lost() -> None:
    assert judged().lost


def test_a_message_that_belongs_to_no_alert_is_invented() -> None:
    assert judged(arrived(1), arrived(2, title="other")).invented
