"""Moments, wall-clock times, and days of appointments."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.model.appointment_time import (
    Day,
    Moment,
    WallTime,
    appointment_time,
    parse_appointment_time,
    time_from_json,
    time_json,
    with_known_zone,
)

HONOLULU, SYDNEY, NEW_YORK = (ZoneInfo(name) for name in ("Pacific/Honolulu", "Australia/Sydney", "America/New_York"))
WALL = datetime(2026, 7, 9, 19)  # noqa: DTZ001 - a time without a zone is the subject of the tests

zones = st.sampled_from([HONOLULU, SYDNEY, NEW_YORK, ZoneInfo("UTC")])
walls = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 - hypothesis wants naive bounds
aware = st.builds(lambda wall, zone: wall.replace(tzinfo=zone), walls, zones | st.just(timezone(timedelta(hours=-4))))
stamps: st.SearchStrategy[date] = st.dates(date(2020, 1, 1), date(2040, 1, 1)) | walls | aware


@settings(max_examples=60, deadline=None)
@given(stamps)
def test_a_time_is_unchanged_as_text_and_as_json(stamp: date) -> None:
    when = appointment_time(stamp)
    assert parse_appointment_time(str(when)) == when
    assert time_from_json(time_json(when)) == when


@settings(max_examples=60, deadline=None)
@given(stamps, zones)
def test_the_day_is_that_on_the_clock_of_the_office(stamp: date, zone: ZoneInfo) -> None:
    match appointment_time(stamp):
        case Moment(at):
            assert appointment_time(stamp).day_in(zone) == at.astimezone(zone).date()
        case WallTime(at):
            assert appointment_time(stamp).day_in(zone) == at.date()
        case Day(day):
            assert appointment_time(stamp).day_in(zone) == day


@settings(max_examples=60, deadline=None)
@given(stamps, zones)
def test_a_time_is_over_from_a_certain_moment_on(stamp: date, zone: ZoneInfo) -> None:
    when = appointment_time(stamp)
    end = when.begins_in(zone)
    if end is None:
        after = datetime.combine(when.day_in(zone) + timedelta(days=1), datetime.min.time(), zone)
        end = after.astimezone(UTC)
    assert when.is_over(end, zone)
    assert not when.is_over(end - timedelta(seconds=1), zone)


@pytest.mark.parametrize(
    "stamp", ["2026-07-09", "2026-07-09T00:00:00", "2026-07-09T00:00:00.000Z", "2026-07-09T00:00:00+10:00"]
)
def test_midnight_is_a_day_on_the_clock_of_the_stamp(stamp: str) -> None:
    when = parse_appointment_time(stamp)
    assert when == Day(date(2026, 7, 9))
    assert {when.day_in(zone) for zone in (HONOLULU, SYDNEY, NEW_YORK)} == {date(2026, 7, 9)}


def test_placeholder_that_cannot_be_converted_is_a_day() -> None:
    assert parse_appointment_time("9999-12-31T23:59:59Z") == Day(date(9999, 12, 31))
    assert parse_appointment_time("0001-01-01T05:00:00+10:00") == Day(date(1, 1, 1))


def test_types_cannot_be_mixed_up() -> None:
    with pytest.raises(ValueError, match="has a zone"):
        Moment(WALL)
    with pytest.raises(ValueError, match="has no zone"):
        WallTime(WALL.replace(tzinfo=UTC))
    with pytest.raises(TypeError, match="has no time"):
        Day(WALL)


def test_wall_clock_time_that_does_not_exist_begins_when_the_clocks_jump() -> None:
    jump = WallTime(datetime(2026, 3, 8, 2, 30))  # noqa: DTZ001
    assert jump.begins_in(NEW_YORK) == datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert jump.begins_in(HONOLULU) == datetime(2026, 3, 8, 12, 30, tzinfo=UTC)


def test_wall_clock_time_that_occurs_twice_begins_the_first_time() -> None:
    twice = WallTime(datetime(2026, 11, 1, 1, 30))  # noqa: DTZ001
    assert twice.begins_in(NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_stamp_stored_without_its_zone_is_the_same_moment() -> None:
    moment = Moment(WALL.replace(tzinfo=UTC))
    assert with_known_zone(WallTime(WALL), moment) == moment
    assert with_known_zone(WallTime(WALL + timedelta(hours=1)), moment) == WallTime(WALL + timedelta(hours=1))
    assert with_known_zone(None, moment) is None


def test_day_of_an_earlier_release_is_read() -> None:
    assert time_from_json({"starts_at": "2026-07-09"}) == Day(date(2026, 7, 9))
    assert time_from_json({"starts_at": "soon"}) is None
