from datetime import UTC, datetime, timedelta

from watcher.delivery.retry import is_exhausted, message_delay, outage_delay

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_delays_grow_to_two_hours() -> None:
    delays = [message_delay(attempts) for attempts in range(12)]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (timedelta(seconds=30), timedelta(hours=2))


def test_delays_of_an_outage_are_those_of_one_message_that_is_tried_again_and_again() -> None:
    duration = timedelta()
    for attempts in range(12):
        assert outage_delay(duration) == message_delay(attempts)
        duration += outage_delay(duration)


def test_a_message_is_given_up_a_week_after_its_first_attempt_and_not_before_enough_attempts() -> None:
    assert is_exhausted(NOW - WEEK - timedelta(seconds=1), 8, NOW)
    assert not is_exhausted(NOW - WEEK, 100, NOW)
    assert not is_exhausted(NOW - 2 * WEEK, 7, NOW)
    assert not is_exhausted(None, 100, NOW)
