"""Days and moments as text."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from watcher.clock.timestamps import iso_text, local_text, parse_iso, parse_utc, utc_text, zoned_text

DAY = date(2026, 7, 9)
MOMENT = datetime(2026, 7, 9, 19, 0, 5, 250, tzinfo=UTC)
WALL_CLOCK = datetime(2026, 7, 9, 15, 0)  # noqa: DTZ001 - a portal that gives no zone


@pytest.mark.parametrize("value", [DAY, MOMENT, WALL_CLOCK])
def test_iso_text_is_exact_and_can_be_parsed(value: date) -> None:
    assert parse_iso(iso_text(value)) == value


def test_utc_text_ends_in_z_and_leaves_days_and_wall_clocks_as_they_are() -> None:
    assert utc_text(MOMENT) == "2026-07-09T19:00:05Z"
    assert utc_text(WALL_CLOCK) == "2026-07-09T15:00:00"
    assert utc_text(DAY) == "2026-07-09"
    assert utc_text(None) is None


def test_a_moment_is_parsed_into_utc_and_a_wall_clock_is_refused() -> None:
    assert parse_utc("2026-07-09T19:00:05Z") == MOMENT.replace(microsecond=0)
    eastern = MOMENT.astimezone(timezone(timedelta(hours=-4)))
    assert parse_utc(iso_text(eastern)) == MOMENT
    assert parse_utc(iso_text(eastern)).tzinfo is UTC
    with pytest.raises(ValueError, match="no offset"):
        parse_utc(iso_text(WALL_CLOCK))


def test_local_text_is_to_the_minute_in_the_given_zone() -> None:
    assert local_text(MOMENT) == "2026-07-09 19:00"
    assert local_text(MOMENT, ZoneInfo("America/New_York")) == "2026-07-09 15:00"
    assert zoned_text(MOMENT, ZoneInfo("America/New_York")) == "2026-07-09 15:00 EDT"
