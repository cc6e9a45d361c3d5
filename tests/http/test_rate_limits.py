from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.portals.context import FakeClock, InMemoryQuota
from watcher.http.rate_limits import DailyAllowance, RateLimit


def test_requests_are_spaced_evenly() -> None:
    now, send_times = 100.0, []

    def pause(seconds: float) -> bool:
        nonlocal now
        now += seconds
        return False

    limit = RateLimit(10, pause=pause, monotonic=lambda: now)
    for _ in range(5):
        assert limit.wait()
        send_times.append(round(now, 6))
    now += 60
    assert limit.wait()
    assert send_times == [100.0, 100.1, 100.2, 100.3, 100.4]
    assert now == pytest.approx(160.4)


def test_interrupted_wait_returns_false() -> None:
    limit = RateLimit(10, pause=lambda _: True, monotonic=lambda: 0.0)
    assert [limit.wait(), limit.wait()] == [True, False]


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        (datetime(2026, 11, 22, 17, 0, tzinfo=UTC), timedelta(hours=12)),
        (datetime(2026, 11, 1, 4, 30, tzinfo=UTC), timedelta(hours=24, minutes=30)),
        (datetime(2026, 3, 8, 5, 30, tzinfo=UTC), timedelta(hours=22, minutes=30)),
    ],
    ids=["an ordinary day", "clocks go back", "clocks go forward"],
)
def test_allowance_resets_at_midnight_in_the_portals_time_zone(moment: datetime, left: timedelta) -> None:
    clock = FakeClock(moment)
    allowance = DailyAllowance(InMemoryQuota(), 1, daily_limit=1, zone=ZoneInfo("America/New_York"), clock=clock)
    assert allowance.resets_in == left


def test_allowance_takes_more_if_needed_and_returns_the_unused_rest() -> None:
    quota = InMemoryQuota()
    with DailyAllowance(quota, 1, daily_limit=3, zone=ZoneInfo("UTC"), clock=FakeClock()) as allowance:
        assert [allowance.use() for _ in range(4)] == [True, True, True, False]
    with DailyAllowance(quota, 5, daily_limit=9, zone=ZoneInfo("UTC"), clock=FakeClock()) as allowance:
        assert allowance.use()
    assert quota.used == {"2026-11-22": 4}
