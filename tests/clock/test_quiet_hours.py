from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watcher.clock.quiet_hours import Digest, QuietHours, wall_time_to_utc

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Los_Angeles",
        "America/Toronto",
        "America/Nuuk",  # its clocks change at midnight
        "Europe/Madrid",
        "Asia/Kolkata",
        "Asia/Beirut",
        "Australia/Lord_Howe",  # half an hour of daylight saving
        "Pacific/Kiritimati",
        "UTC",
    )
]

FIRST = datetime(2026, 1, 1, tzinfo=UTC)

zones = st.sampled_from(ZONES)
minutes = st.builds(time, st.integers(0, 23), st.integers(0, 59))
moments = st.integers(0, 12 * 365 * 24 * 60).map(lambda minutes_later: FIRST + timedelta(minutes=minutes_later))
quiet_hours = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: QuietHours(*pair))


def local(year: int, month: int, day: int, hour: int, minute: int = 0, *, fold: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK, fold=fold).astimezone(UTC)


def test_quiet_hours_are_parsed_as_people_write_them() -> None:
    assert QuietHours.parse("22:00-07:00") == QuietHours(time(22), time(7))
    assert QuietHours.parse(" 9:30 - 17:05 ") == QuietHours(time(9, 30), time(17, 5))


@given(quiet_hours)
def test_formatted_quiet_hours_are_parsed_back(hours: QuietHours) -> None:
    assert QuietHours.parse(str(hours)) == hours


@pytest.mark.parametrize("text", ["", "22-07", "22:00", "24:00-07:00", "22:00-07:60", "22:00-22:00", "night"])
def test_invalid_quiet_hours_are_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ValueError, match=r'such as "22:00-07:00"|for no quiet hours'):
        QuietHours.parse(text)


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("daily 08:00", Digest(time(8))),
        ("Weekly  MON 8:15", Digest(time(8, 15), 0)),
        ("weekly sun 23:59", Digest(time(23, 59), 6)),
    ],
)
def test_digests_are_parsed_as_people_write_them(text: str, digest: Digest) -> None:
    assert Digest.parse(text) == digest
    assert Digest.parse(str(digest)) == digest


@pytest.mark.parametrize("text", ["", "daily", "08:00", "weekly 08:00", "weekly monday 08:00", "hourly 08:00"])
def test_an_invalid_digest_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ValueError, match='use "daily 08:00" or "weekly mon 08:00"'):
        Digest.parse(text)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (local(2026, 7, 1, 21, 59), None),
        (local(2026, 7, 1, 22), local(2026, 7, 2, 7)),
        (local(2026, 7, 2, 0), local(2026, 7, 2, 7)),
        (local(2026, 7, 2, 6, 59), local(2026, 7, 2, 7)),
        (local(2026, 7, 2, 7), None),
    ],
)
def test_quiet_hours_include_their_start_and_exclude_their_end(now: datetime, end: datetime | None) -> None:
    assert QuietHours.parse("22:00-07:00").ends_after(now, NEW_YORK) == end


def test_quiet_hours_are_an_hour_shorter_or_longer_when_clocks_change() -> None:
    night = QuietHours.parse("22:00-07:00")
    spring, autumn = local(2026, 3, 7, 22), local(2026, 10, 31, 22)
    assert night.ends_after(spring, NEW_YORK) == spring + timedelta(hours=8)
    assert night.ends_after(autumn, NEW_YORK) == autumn + timedelta(hours=10)


def test_an_end_in_the_skipped_hour_is_the_moment_of_the_jump() -> None:
    night = QuietHours.parse("22:00-02:30")
    jump = local(2026, 3, 8, 3)
    assert night.ends_after(local(2026, 3, 8, 1, 59), NEW_YORK) == jump
    assert night.ends_after(jump, NEW_YORK) is None


def test_quiet_hours_within_the_skipped_hour_do_not_apply() -> None:
    jump = local(2026, 3, 8, 3)
    for now in (jump - timedelta(seconds=1), jump, jump + timedelta(seconds=1)):
        assert QuietHours.parse("02:10-02:50").ends_after(now, NEW_YORK) is None


def test_an_end_in_the_repeated_hour_is_the_second_one() -> None:
    night = QuietHours.parse("22:00-01:30")
    second = local(2026, 11, 1, 1, 30, fold=1)
    assert night.ends_after(local(2026, 11, 1, 1, 45), NEW_YORK) == second
    assert night.ends_after(second, NEW_YORK) is None


def test_a_start_in_the_repeated_hour_is_the_first_one() -> None:
    night = QuietHours.parse("01:30-07:00")
    second_one = local(2026, 11, 1, 1, 0, fold=1)
    assert night.ends_after(second_one, NEW_YORK) == local(2026, 11, 1, 7)


@given(quiet_hours, moments, zones)
@example(QuietHours(time(1, 30), time(1, 10)), local(2026, 11, 1, 0), NEW_YORK)
def test_quiet_hours_end_within_two_days_and_do_not_apply_then(
    hours: QuietHours, now: datetime, zone: ZoneInfo
) -> None:
    end = hours.ends_after(now, zone)
    if end is not None:
        # Quiet hours that overlap when clocks go back last at most two days and an hour.
        assert now < end <= now + timedelta(days=2, hours=1)
        assert hours.ends_after(end, zone) is None


@given(quiet_hours, moments, zones)
def test_without_a_clock_change_quiet_hours_follow_the_wall_clock(
    hours: QuietHours, now: datetime, zone: ZoneInfo
) -> None:
    nearby = {(now + timedelta(hours=off)).astimezone(zone).utcoffset() for off in range(-30, 31, 3)}
    if len(nearby) == 1:
        wall = now.astimezone(zone).time()
        across_midnight = hours.start > hours.end
        quiet = wall >= hours.start or wall < hours.end if across_midnight else hours.start <= wall < hours.end
        assert (hours.ends_after(now, zone) is not None) is quiet


@given(quiet_hours, moments, zones)
def test_quiet_hours_include_both_repeated_hours(hours: QuietHours, now: datetime, zone: ZoneInfo) -> None:
    """Quiet hours apply whenever the wall clock shows such a time, in either of two equal hours."""
    wall = now.astimezone(zone).time()
    across_midnight = hours.start > hours.end
    if wall >= hours.start or wall < hours.end if across_midnight else hours.start <= wall < hours.end:
        assert hours.ends_after(now, zone) is not None


@given(quiet_hours, st.lists(moments, min_size=2), zones)
def test_held_alerts_are_released_in_order(hours: QuietHours, arrivals: list[datetime], zone: ZoneInfo) -> None:
    released = [hours.ends_after(now, zone) or now for now in sorted(arrivals)]
    assert released == sorted(released)


@given(minutes, zones, st.integers(2026, 2036))
def test_a_daily_digest_is_due_once_per_calendar_day(at: time, zone: ZoneInfo, year: int) -> None:
    digest = Digest(at)
    now = wall_time_to_utc(datetime.combine(date(year, 1, 1), at), zone)
    end = wall_time_to_utc(datetime.combine(date(year + 1, 1, 1), at), zone)
    digests = []
    while now < end:
        now = digest.next_after(now, zone)
        digests.append(now)
    assert len(digests) == (date(year + 1, 1, 1) - date(year, 1, 1)).days
    assert all(timedelta(hours=22) <= later - now <= timedelta(hours=26) for now, later in pairwise(digests))


@given(minutes, st.integers(0, 6), moments, zones)
def test_a_weekly_digest_is_due_once_per_week(at: time, weekday: int, start: datetime, zone: ZoneInfo) -> None:
    digest = Digest(at, weekday)
    digests = [digest.next_after(start, zone)]
    for _ in range(60):
        digests.append(digest.next_after(digests[-1], zone))
    assert start < digests[0] <= start + timedelta(days=7, hours=2)
    gaps = {later - now for now, later in pairwise(digests)}
    assert all(abs(gap - timedelta(days=7)) <= timedelta(hours=2) for gap in gaps)


@given(minutes, moments, zones)
def test_a_digest_is_due_at_its_wall_clock_time_or_when_clocks_skip_it(at: time, now: datetime, zone: ZoneInfo) -> None:
    due = Digest(at).next_after(now, zone)
    before = (due - timedelta(seconds=1)).astimezone(zone)
    clocks_jumped = before.utcoffset() != due.astimezone(zone).utcoffset()
    assert due.astimezone(zone).time() == at or clocks_jumped


def test_the_next_digest_is_after_one_that_is_due_now() -> None:
    eight = local(2026, 7, 1, 8)
    assert Digest.parse("daily 08:00").next_after(eight, NEW_YORK) == eight + timedelta(days=1)
    assert Digest.parse("weekly wed 08:00").next_after(eight, NEW_YORK) == eight + timedelta(days=7)
