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


def test_eight_digits_are_a_day_unless_a_format_says_otherwise() -> None:
    assert Dates().parse("20260529") == date(2026, 5, 29)
    assert Dates(formats=("%d%m%Y",)).parse("10122026") == date(2026, 12, 10)
    with pytest.raises(ValueError, match="month"):
        Dates().parse("20261399")


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
    with pytest.raises(ValueError, match="use one such as"):
        check_format(text)


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("%d de %B de %Y", "12 de março de 2026"),
        ("%d de %B de %Y", "12 de MARZO de 2026"),
        ("%d. %B %Y", "12. März 2026"),
        ("%d %B %Y", "12 marca 2026"),
        ("%d %B %Y", "12 marzec 2026"),
        ("%d %B %Y", "12 mars 2026"),
        ("%d %B %Y", "12 maart 2026"),
        ("%d %B %Y", "12 марта 2026"),
        ("%d %b %Y", "12 mrt. 2026"),
        ("%d %b %Y", "12\N{NO-BREAK SPACE}mar. 2026"),
        ("%Y. %B %d.", "2026. március 12."),
        ("%d. %Bta %Y", "12. maaliskuuta 2026"),
        ("%d. %B %Y", "12. maaliskuuta 2026"),
        ("%A, %d. %B %Y", "Donnerstag, 12. März 2026"),
        ("%A %d %B %Y", "jeudi 12 mars 2026"),
        ("%A, %d de %B de %Y", "quinta-feira, 12 de março de 2026"),
        ("%B %d, %Y", "March 12th, 2026"),
        ("%b %d, %Y", "Mar. 12, 2026"),
        ("%a, %b %d, %Y", "Thurs., March 12, 2026"),
        ("%d de %B de %Y", "12 de marc\N{COMBINING CEDILLA}o de 2026"),
    ],
)
def test_months_may_be_named_in_the_language_of_the_portal(date_format: str, text: str) -> None:
    assert Dates(formats=("%d/%m/%Y", date_format)).parse(text) == date(2026, 3, 12)


@pytest.mark.parametrize(
    ("date_format", "text", "day"),
    [
        ("%b %d, %Y", "Sept. 12, 2026", date(2026, 9, 12)),
        ("%b %d, %Y", "June 12, 2026", date(2026, 6, 12)),
        ("%d %B %Y", "1er août 2026", date(2026, 8, 1)),
        ("%d de %B de %Y", "1\N{MASCULINE ORDINAL INDICATOR} de outubro de 2026", date(2026, 10, 1)),
        ("%d %B %Y", "29 febbraio 2028", date(2028, 2, 29)),
    ],
)
def test_short_names_and_ordinal_numbers_are_understood(date_format: str, text: str, day: date) -> None:
    assert Dates(formats=(date_format,)).parse(text) == day


@pytest.mark.parametrize("afternoon", ["PM", "pm", "p.m.", "p. m.", "P.M."])
def test_time_of_day_may_have_dots(afternoon: str) -> None:
    dates = Dates(formats=("%d de %B de %Y, %I:%M %p",), zone=NEW_YORK)
    assert dates.parse(f"12 de mayo de 2026, 3:05 {afternoon}") == datetime(2026, 5, 12, 15, 5, tzinfo=NEW_YORK)


@pytest.mark.parametrize("text", ["30 février 2026", "12 Marchember 2026", "12 2026", "12 mars 2026 ou plus tard"])
def test_no_date_is_made_up_from_words(text: str) -> None:
    with pytest.raises(ValueError, match="neither ISO 8601"):
        Dates(formats=("%d %B %Y",)).parse(text)
