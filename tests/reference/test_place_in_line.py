"""The place in line: cutoff, distance, movement of twelve bulletins, and the months at this pace."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.reference.lists import MINE, TODAY, bulletins, cell
from watcher.reference.place_in_line import BulletinList, ChartPlace, PlaceInLine, months_for
from watcher.reference.visa_bulletin import Chart, FilingCharts


def place(*rows: dict[str, str], charts: FilingCharts | None = None) -> PlaceInLine:
    return BulletinList(bulletins=bulletins(*rows), filing_charts=charts or {}).place(MINE, TODAY)


def final_action(*rows: dict[str, str]) -> ChartPlace:
    return next(one for one in place(*rows).charts if one.chart is Chart.FINAL_ACTION)


def test_distance_movement_and_months_are_counted_from_the_newest_bulletin() -> None:
    one = final_action(cell("2025-09", "2013-01-01"), cell("2026-03", "2013-12-01"), cell("2026-09", "2013-07-01"))
    assert (one.is_current, one.days_behind, one.moved_days) == (False, 198, 181)
    assert one.months_at_this_pace == 14  # 199 days at 181 days in 12 bulletins


def test_nothing_of_the_pace_is_known_where_the_cutoff_stood_still_or_went_back() -> None:
    for before in ("2013-07-01", "2013-08-01"):
        one = final_action(cell("2025-09", before), cell("2026-09", "2013-07-01"))
        assert (one.days_behind, one.moved_days, one.months_at_this_pace) == (198, None, None)


def test_nothing_of_the_pace_is_known_without_a_date_twelve_bulletins_ago() -> None:
    for before in ([], [cell("2025-09", "C")], [cell("2025-09", "U")], [cell("2025-10", "2012-01-01")]):
        one = final_action(*before, cell("2026-09", "2013-07-01"))
        assert (one.moved_days, one.months_at_this_pace) == (None, None)


def test_current_date_has_no_distance() -> None:
    for value in ("2014-01-16", "C"):
        one = final_action(cell("2025-09", "2013-01-01"), cell("2026-09", value))
        assert (one.is_current, one.days_behind, one.months_at_this_pace) == (True, None, None)


def test_priority_date_on_the_cutoff_is_not_current_and_no_day_behind() -> None:
    one = final_action(cell("2026-09", "2014-01-15"))
    assert (one.is_current, one.days_behind) == (False, 0)


def test_unavailable_and_unknown_have_no_distance() -> None:
    unavailable, unknown = final_action(cell("2026-09", "U")), final_action(cell("2026-09", "C", country="ROW"))
    assert (unavailable.is_current, unavailable.days_behind) == (False, None)
    assert (unknown.is_current, unknown.days_behind) == (None, None)


def test_accepted_chart_is_that_of_the_month_and_kind() -> None:
    charts = {("2026-09", "family"): Chart.FINAL_ACTION, ("2026-08", "employment"): Chart.FINAL_ACTION}
    row = cell("2026-09", "2013-07-01")
    assert place(row, charts=charts).accepted is None
    charts["2026-09", "employment"] = Chart.DATES_FOR_FILING
    assert place(row, charts=charts).accepted is Chart.DATES_FOR_FILING


@given(st.integers(0, 20_000), st.integers(1, 5_000))
def test_months_are_the_first_after_which_the_cutoff_has_passed(days_behind: int, moved: int) -> None:
    months = months_for(days_behind, moved)
    assert months >= 1
    assert moved * months > days_behind * 12
    assert moved * (months - 1) < (days_behind + 1) * 12
    assert months_for(days_behind + 1, moved) >= months
    assert months_for(days_behind, moved + 1) <= months


@given(st.dates(date(2000, 1, 1), date(2026, 8, 31)), st.integers(-4000, 4000))
def test_pace_is_shown_only_behind_a_cutoff_that_moved_forward(cutoff: date, moved: int) -> None:
    one = final_action(
        cell("2025-09", str(min(cutoff - timedelta(days=moved), date(2025, 9, 30)))), cell("2026-09", str(cutoff))
    )
    assert (one.months_at_this_pace is not None) == (one.is_current is False and one.moved_days is not None)
    assert one.moved_days is None or one.moved_days > 0
