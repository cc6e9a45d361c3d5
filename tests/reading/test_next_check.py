"""When an account is checked next: never early, at most the jitter late, and together with others where possible."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.reading.next_check import next_check

START = datetime(2026, 7, 9, tzinfo=UTC)
EVERY, JITTER = timedelta(hours=4), timedelta(minutes=10)
CHECK = timedelta(seconds=3)
LINGER = timedelta(minutes=10)
"""How long a worker waits for the next account, see `Pace`."""


@settings(max_examples=60)
@given(
    st.timedeltas(timedelta(), timedelta(hours=1)),
    st.lists(st.timedeltas(-EVERY, EVERY).map(lambda ahead: START + ahead)),
    st.randoms(use_true_random=False),
)
def test_check_is_not_early_and_at_most_the_jitter_late(
    jitter: timedelta, others: list[datetime], random: Random
) -> None:
    assert START <= next_check(START, jitter, others, random) <= START + jitter


def test_accounts_that_are_due_within_the_jitter_share_a_visit() -> None:
    other = START + timedelta(minutes=7)
    planned = next_check(START, JITTER, [START - JITTER, other, START + 2 * JITTER], Random(1))  # noqa: S311
    assert timedelta() <= planned - other < timedelta(minutes=1)


def test_accounts_that_began_together_stay_together() -> None:
    random, due = Random(1), dict.fromkeys(range(10), START)  # noqa: S311
    ends: list[datetime] = []
    while min(due.values()) < START + timedelta(days=30):
        account = min(due, key=lambda account: due[account])
        ends.append(due[account] + CHECK)
        others = [moment for other, moment in due.items() if other != account]
        due[account] = next_check(ends[-1] + EVERY, JITTER, others, random)
    visits = 1 + sum(later - earlier > LINGER for earlier, later in pairwise(ends))
    assert visits <= 30 * timedelta(days=1) / EVERY
