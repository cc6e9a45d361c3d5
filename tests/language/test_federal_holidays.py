from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.federal_holidays import is_business_day

# The lists that opm.gov publishes, with the days on which holidays are observed.
_2026 = "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"
_2027 = "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"
_2020 = "01-01 01-20 02-17 05-25 07-03 09-07 10-12 11-11 11-26 12-25"


@pytest.mark.parametrize(("year", "listed"), [(2020, _2020), (2026, _2026), (2027, _2027)])
def test_weekdays_off_are_those_that_the_government_lists(year: int, listed: str) -> None:
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    off = [day for day in days if day.weekday() < 5 and not is_business_day(day)]
    assert [f"{day:%m-%d}" for day in off] == listed.split()


@given(st.dates())
def test_a_business_day_comes_within_four_days_of_any_day(day: date) -> None:
    following = [day + timedelta(days=number) for number in range(5) if (date.max - day).days >= number]
    assert any(map(is_business_day, following)) or day > date.max - timedelta(days=5)
