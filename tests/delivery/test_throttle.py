from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from watcher.delivery.throttle import ThrottlePlan, throttle
from watcher.model.change import Severity


@dataclass(frozen=True)
class Waiting:
    id: int
    severity: Severity


queues = st.lists(st.sampled_from(Severity), max_size=60).map(
    lambda severities: [Waiting(place, severity) for place, severity in enumerate(severities)]
)


def important(count: int, first: int = 0) -> list[Waiting]:
    return [Waiting(first + place, Severity.IMPORTANT) for place in range(count)]


def test_while_the_hour_has_room_each_alert_goes_alone() -> None:
    queue = important(5)
    assert throttle(queue, limit=10, sent_last_hour=5) == ThrottlePlan(separate=tuple(queue))


def test_a_relabelling_of_two_hundred_cases_is_one_alert() -> None:
    queue = important(200)
    assert throttle(queue, limit=30, sent_last_hour=0) == ThrottlePlan(combined=tuple(queue))


def test_an_urgent_alert_in_a_flood_goes_alone() -> None:
    urgent = Waiting(100, Severity.URGENT)
    queue = [*important(100), urgent, *important(100, 101)]
    found = throttle(queue, limit=30, sent_last_hour=0)
    assert found.separate == (urgent,)
    assert found.combined == (*important(100), *important(100, 101))


def test_in_a_full_hour_urgent_alerts_go_and_the_rest_waits() -> None:
    urgent = Waiting(1, Severity.URGENT)
    assert throttle([*important(1), urgent], limit=30, sent_last_hour=30) == ThrottlePlan(
        separate=(urgent,), postponed=tuple(important(1))
    )


def test_no_limit_is_no_limit() -> None:
    queue = important(500)
    assert throttle(queue, limit=0, sent_last_hour=1000) == ThrottlePlan(separate=tuple(queue))


@given(queues, st.integers(1, 40), st.integers(0, 50))
def test_every_alert_has_one_place_in_the_order_in_which_it_came(
    queue: list[Waiting], limit: int, sent_last_hour: int
) -> None:
    found = throttle(queue, limit=limit, sent_last_hour=sent_last_hour)
    for group in (found.separate, found.combined, found.postponed):
        assert sorted(group, key=lambda alert: alert.id) == list(group)
    assert sorted([*found.separate, *found.combined, *found.postponed], key=lambda alert: alert.id) == queue
    assert all(alert.severity is not Severity.URGENT for alert in found.postponed)
    assert len(found.combined) != 1


@given(queues, st.integers(1, 40), st.integers(0, 50))
def test_no_hour_gets_more_than_its_limit_but_for_one_alert_that_is_urgent(
    queue: list[Waiting], limit: int, sent_last_hour: int
) -> None:
    found = throttle(queue, limit=limit, sent_last_hour=sent_last_hour)
    messages = len(found.separate) + bool(found.combined)
    urgent = any(alert.severity is Severity.URGENT for alert in queue)
    assert messages <= max(limit - sent_last_hour, int(urgent))
