"""The cutoff of a case is read from the shapes of the open data set, and damage never makes a date current."""

import csv
import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.lists import MINE, ORIGIN, TODAY, bulletins, cell, damaged_copies, data_set
from watcher.errors import UnexpectedAnswer
from watcher.model.priority import Priority, category_of, country_of
from watcher.reference.visa_bulletin import (
    UNKNOWN,
    Chart,
    Cutoff,
    CutoffKind,
    parse_bulletins,
    parse_filing_charts,
    recent_bulletins,
)

FINAL = Chart.FINAL_ACTION
ROWS = [
    cell("2026-08", "2013-12-01"),
    cell("2026-09", "2014-02-01"),
    cell("2026-09", "2014-06-01", chart="dates_for_filing"),
    cell("2026-09", "C", country="ROW"),
    cell("2026-09", "U", category="EB4_RW"),
]
CUTOFF = Cutoff(CutoffKind.DATE, date(2014, 2, 1))


def mine(body: bytes, priority: Priority = MINE) -> Cutoff:
    read = parse_bulletins(body, ORIGIN)
    return read.cutoff(read.newest, FINAL, priority)


def as_csv(rows: list[dict[str, str]], columns: list[str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize(
    "body",
    [
        data_set(*ROWS),
        json.dumps({"bulletin": "2026-09", "rows": ROWS, "previous_bulletin": None, "changes": []}).encode(),
        as_csv(ROWS, list(ROWS[0])),
        as_csv(ROWS, ["country", "category", "chart", "bulletin", "date", "status", "kind"]),
        as_csv(
            [{**row, "date": row["date"] or row["status"][0].upper()} for row in ROWS], [*list(ROWS[0])[:5], "date"]
        ),
        recent_bulletins(data_set(*ROWS), TODAY),
    ],
    ids=["all", "latest", "CSV", "CSV in another order", "CSV without status", "stored"],
)
def test_every_shape_is_read_alike(body: bytes) -> None:
    read = parse_bulletins(body, ORIGIN)
    assert read.newest == "2026-09"
    assert read.cutoff("2026-09", FINAL, MINE) == CUTOFF
    assert read.cutoff("2026-09", FINAL, Priority(category="EB4_RW", country="IN", day=MINE.day)) == Cutoff(
        CutoffKind.UNAVAILABLE
    )


@given(st.dates(date(1990, 1, 1), date(2026, 9, 1)), st.dates(date(1990, 1, 1), date(2026, 9, 1)))
def test_date_is_current_if_it_is_strictly_earlier(priority: date, cutoff: date) -> None:
    current = Cutoff(CutoffKind.DATE, cutoff).is_current(priority)
    assert current is (priority < cutoff)
    if current:
        assert Cutoff(CutoffKind.DATE, cutoff + timedelta(days=1)).is_current(priority)
        assert Cutoff(CutoffKind.DATE, cutoff).is_current(priority - timedelta(days=1))
    assert Cutoff(CutoffKind.CURRENT).is_current(priority) is True
    assert Cutoff(CutoffKind.UNAVAILABLE).is_current(priority) is False
    assert UNKNOWN.is_current(priority) is None


def test_listed_country_has_its_own_column_or_nothing() -> None:
    rows = [cell("2026-09", "C", country="ROW")]
    assert mine(data_set(*rows)) == UNKNOWN
    assert mine(data_set(*rows), Priority(category="EB2", country="BR", day=MINE.day)) == Cutoff(CutoffKind.CURRENT)


def test_country_that_has_a_column_for_a_time_is_found_there() -> None:
    rows = [
        cell("2026-09", "C", country="ROW"),
        cell("2026-09", "2015-01-01", country="VN"),
        cell("2026-09", "2016-01-01", country="SV_GT_HN"),
    ]
    for country, day in (("VN", date(2015, 1, 1)), ("GT", date(2016, 1, 1))):
        assert mine(data_set(*rows), Priority(category="EB2", country=country, day=MINE.day)).day == day


@pytest.mark.parametrize(
    "damage",
    [
        {"date": ""},
        {"date": "01FEB14"},
        {"date": "2014-02-31"},
        {"date": "2914-02-01"},
        {"status": "current"},
        {"status": "perhaps"},
        {"status": "unavailable"},
    ],
)
def test_contradictory_cell_is_unknown(damage: dict[str, str]) -> None:
    assert mine(data_set(ROWS[0], ROWS[1] | damage)) == UNKNOWN


def test_two_rows_for_one_cell_are_unknown_unless_they_agree() -> None:
    assert mine(data_set(ROWS[1], ROWS[1])) == CUTOFF
    assert mine(data_set(ROWS[1], cell("2026-09", "C"))) == UNKNOWN


def test_month_that_cannot_have_been_published_is_left_out() -> None:
    read = bulletins(*ROWS, cell("2026-10", "C"), cell("2026-11", "C"))
    assert read.newest == "2026-10"


def test_bulletin_is_old_once_its_month_is_over() -> None:
    read = bulletins(*ROWS)
    assert not read.is_old(date(2026, 9, 30))
    assert read.is_old(date(2026, 10, 1))


def test_damage_at_any_node_makes_a_cell_unknown_and_never_another() -> None:
    for copy in damaged_copies(ROWS):
        try:
            read = parse_bulletins(json.dumps(copy).encode(), ORIGIN)
        except UnexpectedAnswer:
            continue
        assert read.cutoff("2026-09", FINAL, MINE) in {CUTOFF, UNKNOWN}
        assert read.cutoff("2026-08", FINAL, MINE) in {Cutoff(CutoffKind.DATE, date(2013, 12, 1)), UNKNOWN}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b"a,b\n1,2", b'{"rows": [{"bulletin": "2026-9"}]}'])
def test_list_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_bulletins(body, ORIGIN)


def test_accepted_charts_are_read_from_either_shape() -> None:
    expected = {("2026-09", "family"): Chart.DATES_FOR_FILING, ("2026-09", "employment"): FINAL}
    table: dict[str, Any] = {"2026-09": {"family": "dates_for_filing", "employment": "final_action"}}
    assert parse_filing_charts(json.dumps(table).encode()) == expected
    rows = b"bulletin,kind,chart\n2026-09,family,dates_for_filing\n2026-09,employment,final_action\n"
    assert parse_filing_charts(rows) == expected
    for copy in damaged_copies(table):
        try:
            assert parse_filing_charts(json.dumps(copy).encode()).items() <= expected.items()
        except UnexpectedAnswer:
            continue


@pytest.mark.parametrize(
    ("typed", "category"),
    [
        ("eb-2", "EB2"),
        ("EB2", "EB2"),
        ("f2a", "F2A"),
        ("F-4", "F4"),
        ("EB-5 rural", "EB5_RURAL"),
        ("EB5", None),
        ("x", None),
    ],
)
def test_category_is_written_as_in_the_data_set(typed: str, category: str | None) -> None:
    assert category_of(typed) == category


def test_country_has_two_letters() -> None:
    assert [country_of(typed) for typed in ("in", " BR ", "row", "IND", "India", "")] == [
        "IN",
        "BR",
        "ROW",
        None,
        None,
        None,
    ]
