"""The oracle finds an alert that came twice without a kill that explains it, or that was lost, invented, or untrue."""

import random
from collections.abc import Iterable
from datetime import date
from functools import partial

import pytest

from tests.adversary.channel import Arrival, HostileChannels, Mood
from tests.adversary.oracle import Alert, Verdict, judge_arrivals, untrue_about
from tests.adversary.processes import Interruption, Kill
from tests.adversary.story import CaseStory, Item
from tests.adversary.witness import Sender
from tests.doubles.loopback import ReceivedRequest

WORKER, OTHER_WORKER = 10, 20
SENDER, OTHER = Sender(pid=11, parent=WORKER), Sender(pid=21, parent=OTHER_WORKER)
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


def arrived(at: float, sender: Sender | None = SENDER, title: str = "title", *, accepted: bool = True) -> Arrival:
    return Arrival(
        target="phone", title=title, body="body", began=at, sender=sender, accepted=at + 0.1 if accepted else None
    )


def killed(at: float, pid: int = WORKER, claims: dict[int, int] | None = None) -> Kill:
    return Kill(victim="run", pid=pid, at=at, gone=at + 0.01, claims={1: WORKER} if claims is None else claims)


def judged(*arrivals: Arrival, kills: Iterable[Kill] = ()) -> Verdict:
    verdict = Verdict()
    judge_arrivals(verdict, "phone", arrivals, [ALERT], list(kills))
    return verdict


def test_an_alert_that_arrived_once_is_right() -> None:
    assert not judged(arrived(1)).faults


@pytest.mark.parametrize("victim", [WORKER, SENDER.pid], ids=["who marks it as sent", "who sends it"])
@pytest.mark.parametrize(("kill_at", "counted"), [(1.2, (1, 0)), (1.05, (0, 1))])
def test_a_second_arrival_is_explained_by_a_kill_before_the_commit(
    victim: int, kill_at: float, counted: tuple[int, int]
) -> None:
    verdict = judged(arrived(1), arrived(5, OTHER), kills=[killed(kill_at, victim)])
    assert not verdict.faults
    assert (verdict.after_acceptance, verdict.in_flight) == counted


def test_a_kill_explains_the_message_of_a_sender_that_could_not_see_its_parent_any_more() -> None:
    orphan = Sender(pid=11, parent=None)
    assert not judged(arrived(1, orphan), arrived(5, OTHER), kills=[killed(1.2)]).faults


@pytest.mark.parametrize(
    "kills",
    [
        [],
        [killed(6)],
        [killed(1.2, OTHER_WORKER)],
        [killed(1.2, 12)],
        [killed(1.2, claims={})],
        [killed(1.2, claims={2: WORKER})],
        [killed(1.2, claims={1: OTHER_WORKER})],
        [Kill(victim="run", pid=WORKER, at=1.2, gone=1.21, claims=None)],
    ],
    ids=[
        "none",
        "after both",
        "of another process",
        "of a child that sends nothing",
        "nothing was on its way",
        "another alert was on its way",
        "it was on its way for another process",
        "state unknown",
    ],
)
def test_a_second_arrival_without_such_a_kill_is_a_fault(kills: list[Kill]) -> None:
    assert judged(arrived(1), arrived(5, OTHER), kills=kills).unproved


def test_a_kill_does_not_explain_an_acceptance_before_another_attempt_of_the_same_process() -> None:
    assert judged(arrived(1), arrived(2, accepted=False), arrived(5, OTHER), kills=[killed(3)]).unproved


def test_a_message_of_an_unknown_sender_is_explained_by_nothing() -> None:
    assert judged(arrived(1, None), arrived(5, OTHER), kills=[killed(1.2)]).unproved


@pytest.mark.parametrize(("at", "is_explained"), [(1.0, True), (40.0, False)])
def test_a_process_whose_database_was_taken_away_could_not_commit(at: float, is_explained: bool) -> None:  # noqa: FBT001
    verdict = Verdict()
    interruption = Interruption(pids=frozenset({WORKER, SENDER.pid}), at=at)
    judge_arrivals(verdict, "phone", [arrived(1), arrived(50, OTHER)], [ALERT], [], [interruption])
    assert bool(verdict.interrupted) == is_explained != bool(verdict.unproved)


def test_one_kill_explains_one_second_arrival_only() -> None:
    assert judged(arrived(1), arrived(5, OTHER), arrived(9, OTHER), kills=[killed(1.2)]).unproved


def test_what_was_marked_as_sent_and_never_accepted_is_lost() -> None:
    assert judged().lost


def test_a_message_that_belongs_to_no_alert_is_invented() -> None:
    assert judged(arrived(1), arrived(2, title="other")).invented


def story(due_on: date) -> CaseStory:
    item = Item(key="item", title="Send q1q", kind="Request for Evidence", due_on=due_on)
    return CaseStory(number="IOE0900000011", status="Case Was Received", open_items={"q1q": item})


def about(body: str) -> Arrival:
    return Arrival(target="phone", title="I-485 •0011", body=body, began=1, sender=SENDER, accepted=1.1)


def test_a_message_with_an_earlier_date_must_not_be_the_last_one() -> None:
    old, new = about("“Send q1q”, due April 16, 2028"), about("“Send q1q”, due April 24, 2028\n\nBefore this: …")
    assert not list(untrue_about(story(date(2028, 4, 24)), [old, new]))
    assert list(untrue_about(story(date(2028, 4, 24)), [new, old]))
    assert list(untrue_about(story(date(2028, 4, 24)), []))


@pytest.mark.parametrize("mood", [Mood.CUT, Mood.ENDLESS, Mood.DRIP, Mood.ACCEPT])
def test_a_message_counts_as_accepted_once_the_head_of_the_answer_says_so(mood: Mood) -> None:
    channels = HostileChannels(random.Random(1), lambda _: SENDER)  # noqa: S311 - repeatable, not secret
    channels.begin("phone", mood, 60)
    request = ReceivedRequest(method="POST", target="/phone", headers={}, body=b'{"title": "a", "message": "b"}')
    answer = channels.answer(request)
    channels.calm()
    whole = answer if isinstance(answer, bytes) else b"".join(map(partial(bytes), answer))
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert channels.arrivals[0].accepted is not None
