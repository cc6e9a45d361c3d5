"""When a person is reminded to look: at most daily while nobody answers, and at least every `every`."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from watcher.remind.manual_reminder import ManualChecks, next_reminder

START = datetime(2026, 1, 1, 17, tzinfo=UTC)
WEEK = timedelta(days=7)


def after(*, looked: timedelta | None = None, reminded: timedelta | None = None) -> ManualChecks:
    return ManualChecks(
        checked_at=None if looked is None else START + looked,
        reminded_at=None if reminded is None else START + reminded,
    )


def test_whoever_has_never_looked_is_reminded_at_once() -> None:
    assert next_reminder(after(), every=WEEK) is None


def test_after_a_look_the_next_reminder_comes_a_turn_later() -> None:
    assert next_reminder(after(looked=timedelta()), every=WEEK) == START + WEEK
    assert next_reminder(after(looked=timedelta(hours=2), reminded=timedelta()), every=timedelta(hours=3)) == (
        START + timedelta(hours=5)
    )


def test_an_unanswered_reminder_is_not_repeated_within_a_day() -> None:
    unanswered = after(looked=timedelta(), reminded=timedelta(hours=3))
    assert next_reminder(unanswered, every=timedelta(hours=3)) == START + timedelta(hours=27)


@given(
    every=st.integers(1, 24 * 10),
    looks=st.sets(st.integers(1, 1000), max_size=8),
    asleep=st.tuples(st.integers(0, 1000), st.integers(0, 200)),
)
def test_reminders_come_at_least_every_turn_and_unanswered_ones_at_most_daily(
    every: int, looks: set[int], asleep: tuple[int, int]
) -> None:
    """A thousand hours, lived one by one; a person looks now and then, and the machine sleeps once."""
    sleeps = range(asleep[0], sum(asleep))
    told: list[int] = []
    for hour in range(1000):
        seen = [look for look in looks if look <= hour]
        known = after(looked=_hours(max(seen, default=None)), reminded=_hours(told[-1] if told else None))
        due = next_reminder(known, every=timedelta(hours=every))
        if hour not in sleeps and (due is None or due <= START + timedelta(hours=hour)):
            told.append(hour)
        newest = max([*seen, *told], default=0)
        assert hour in sleeps or hour - newest < max(every, 24)
    for before, again in pairwise(told):
        assert again - before >= 24 or any(before <= look <= again for look in looks)


def _hours(hours: int | None) -> timedelta | None:
    return None if hours is None else timedelta(hours=hours)
