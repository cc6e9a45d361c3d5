"""The dates of portals."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from watcher.recipe.date_formats import Dates, check_format

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-29", date(2026, 5, 29)),
        ("2026-05-29T23:30:00Z", datetime(2026, 5, 29, 23, 30, tzinfo=UTC)),
        ("2026-05-29 23:30", datetime(2026, 5, 29, 23, 30, tzinfo=NEW_YORK)),
        ("2026-05-29T23:30:00.123456789+0200", None),
        ("May 29, 2026", date(2026, 5, 29)),
        ("May 29, 2026 11:30 PM", datetime(2026, 5, 29, 23, 30, tzinfo=NEW_YORK)),
        ("1780000000000", datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)),
        ("N/A", None),
        ("to be announced", None),
    ],
)
def test_date_is_parsed(text: str, moment: date | None) -> None:
    dates = Dates(formats=("%B %d, %Y", "%B %d, %Y %I:%M %p", "epoch_ms"), zone=NEW_YORK)

    parsed = dates.parse(text)

    assert parsed == moment or (text.endswith("+0200") and isinstance(parsed, datetime) and parsed.tzinfo is not None)


def test_time_without_a_zone_stays_naive() -> None:
    parsed = Dates().parse("2026-05-29T10:30")

    assert isinstance(parsed, datetime)
    assert parsed.tzinfo is None


def test_day_is_in_the_zone_of_the_recipe() -> None:
    assert Dates(zone=NEW_YORK).parse_day("2026-05-30T02:00:00Z") == date(2026, 5, 29)
    assert Dates().parse_day("2026-05-30T02:00:00Z") == date(2026, 5, 30)


@pytest.mark.parametrize("text", ["29.05.2026", "May 32, 2026", "2026-13-01", "2026-05-29T25:00", "1" * 200, "9" * 30])
def test_text_that_matches_no_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Dates(formats=("%B %d, %Y", "epoch")).parse(text)


@pytest.mark.parametrize("text", ["%B %d, %Y", "%d/%m/%y %H:%M", "epoch", "epoch_ms", "%Y%m%d"])
def test_format_with_a_day_is_accepted(text: str) -> None:
    check_format(text)


@pytest.mark.parametrize("text", ["%B %Y", "%H:%M", "%Q", "yyyy-mm-dd", ""])
def test_format_without_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write one such as"):
        check_format(text)
