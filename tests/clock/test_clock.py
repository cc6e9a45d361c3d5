"""The clock of the machine and the clock of the demo."""

import time
from datetime import UTC, datetime, timedelta

from watcher.clock import FastClock, SystemClock

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_system_clock_is_in_utc_and_counts_down() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert abs(clock.now().timestamp() - time.time()) < 5
    assert 55 < clock.seconds_until(clock.now() + timedelta(minutes=1)) <= 60
    assert clock.seconds_until(clock.now() - timedelta(minutes=1)) < 0


def test_a_fast_clock_never_goes_back_and_converts_waits_into_real_seconds() -> None:
    clock = FastClock(START, 3600)
    first, second = clock.now(), clock.now()
    assert START <= first <= second
    assert 0 < clock.seconds_until(clock.now() + timedelta(hours=2)) <= 2


def test_a_day_of_a_fast_clock_takes_as_long_as_its_speed_says() -> None:
    clock = FastClock(START, 86400 * 100)
    started = time.monotonic()
    while clock.now() < START + timedelta(days=1):
        assert time.monotonic() - started < 5
    assert time.monotonic() - started < 5


def test_a_fast_clock_stands_still_at_its_limit_and_runs_on_from_there() -> None:
    day = timedelta(days=1)
    clock = FastClock(START, 86400 * 1e9, limit=START + day)
    assert START <= clock.now() <= START + day
    assert clock.now() == START + day
    clock.run_until(START + 2 * day)
    assert START + day <= clock.now() <= START + 2 * day
