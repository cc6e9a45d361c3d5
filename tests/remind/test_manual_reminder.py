"""When a person is reminded to check: at most daily while unanswered, and at least every `every`."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from watcher.remind.manual_reminder import ManualChecks, next_reminder

START = datetime(2026, 1, 1, 17, tzinfo=UTC)
WEEK = timedelta(days=7)


def after(*, checked: timedelta | None = None, reminded: timedelta | None = None) -> ManualChecks:
    return ManualChecks(
        checked_at=None if checked is None else START + checked,
        reminded_at=None if reminded is None else START + reminded,
    )


def test_the_first_reminder_is_due_now() -> None:
    assert next_reminder(after(), every=WEEK) is None


def test_after_a_check_the_next_reminder_is_due_one_interval_later() -> None:
    assert next_reminder(after(checked=timedelta()), every=WEEK) == START + WEEK
    assert next_reminder(after(checked=timedelta(hours=2), reminded=timedelta()), every=timedelta(hours=3)) == (
        START + timedelta(hours=5)
    )


def test_an_unanswered_reminder_is_not_repeated_within_a_day() -> None:
    unanswered = after(checked=timedelta(), reminded=timedelta(hours=3))
    assert next_reminder(unanswered, every=timedelta(hours=3)) == START + timedelta(hours=27)


@given(
    every=st.integers(1, 24 * 10),
    checks=st.sets(st.integers(1, 1000), max_size=8),
    asleep=st.tuples(st.integers(0, 1000), st.integers(0, 200)),
)
def test_reminders_are_due_every_interval_and_unanswered_ones_at_most_daily(
    every: int, checks: set[int], asleep: tuple[int, int]
) -> None:
    """Simulate a thousand hours with some checks by the person and one downtime of the machine."""
    downtime = range(asleep[0], sum(asleep))
    sent: list[int] = []
    for hour in range(1000):
        checked_so_far = [check for check in checks if check <= hour]
        manual_checks = after(
            checked=_hours(max(checked_so_far, default=None)), reminded=_hours(sent[-1] if sent else None)
        )
        due = next_reminder(manual_checks, every=timedelta(hours=every))
        if hour not in downtime and (due is None or due <= START + timedelta(hours=hour)):
            sent.append(hour)
        newest = max([*checked_so_far, *sent], default=0)
        assert hour in downtime or hour - newest < max(every, 24)
    for before, again in pairwise(sent):
        assert again - before >= 24 or any(before <= check <= again for check in checks)


def _hours(hours: int | None) -> timedelta | None:
    return None if hours is None else timedelta(hours=hours)
