from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from watcher.delivery.throttle import ThrottlePlan, throttle
from watcher.model.change import Severity


@dataclass(frozen=True)
class QueuedStub:
    id: int
    severity: Severity


queues = st.lists(st.sampled_from(Severity), max_size=60).map(
    lambda severities: [QueuedStub(index, severity) for index, severity in enumerate(severities)]
)


def important(count: int, first: int = 0) -> list[QueuedStub]:
    return [QueuedStub(first + index, Severity.IMPORTANT) for index in range(count)]


def test_alerts_within_the_limit_are_sent_separately() -> None:
    queue = important(5)
    assert throttle(queue, limit=10, sent_last_hour=5) == ThrottlePlan(separate=tuple(queue))


def test_two_hundred_alerts_at_once_are_combined() -> None:
    queue = important(200)
    assert throttle(queue, limit=30, sent_last_hour=0) == ThrottlePlan(combined=tuple(queue))


def test_urgent_alert_among_many_is_sent_separately() -> None:
    urgent = QueuedStub(100, Severity.URGENT)
    queue = [*important(100), urgent, *important(100, 101)]
    plan = throttle(queue, limit=30, sent_last_hour=0)
    assert plan.urgent == (urgent,)
    assert plan.combined == (*important(100), *important(100, 101))


def test_only_urgent_alerts_are_sent_when_the_limit_is_reached() -> None:
    urgent = QueuedStub(1, Severity.URGENT)
    assert throttle([*important(1), urgent], limit=30, sent_last_hour=30) == ThrottlePlan(
        urgent=(urgent,), postponed=tuple(important(1))
    )


def test_limit_zero_means_no_limit() -> None:
    queue = important(500)
    assert throttle(queue, limit=0, sent_last_hour=1000) == ThrottlePlan(separate=tuple(queue))


@given(queues, st.integers(1, 40), st.integers(0, 50))
def test_every_alert_is_in_one_group_in_its_original_order(
    queue: list[QueuedStub], limit: int, sent_last_hour: int
) -> None:
    plan = throttle(queue, limit=limit, sent_last_hour=sent_last_hour)
    for group in (plan.urgent, plan.separate, plan.combined, plan.postponed):
        assert sorted(group, key=lambda alert: alert.id) == list(group)
    assert sorted([*plan.urgent, *plan.separate, *plan.combined, *plan.postponed], key=lambda alert: alert.id) == queue
    assert plan.urgent == tuple(alert for alert in queue if alert.severity is Severity.URGENT)
    assert len(plan.combined) != 1


@given(queues, st.integers(1, 40), st.integers(0, 50))
def test_only_urgent_messages_exceed_the_limit(queue: list[QueuedStub], limit: int, sent_last_hour: int) -> None:
    plan = throttle(queue, limit=limit, sent_last_hour=sent_last_hour)
    messages = len(plan.separate) + bool(plan.combined)
    assert messages <= max(limit - sent_last_hour - len(plan.urgent), 0)
