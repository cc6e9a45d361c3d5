"""The dates that a letter names are found in the forms in which letters write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.language.dates_in_text import dates_in

DAY = date(2026, 3, 26)


@pytest.mark.parametrize(
    "text",
    [
        "You must respond by March 26, 2026.",
        "no later than MARCH 26 2026",
        "Mar. 26, 2026",
        "March 26th,\n2026",
        "26 March 2026",
        "the 26th March, 2026",
        "a más tardar el 26 de marzo de 2026,",
        "au plus tard le 26 mars 2026",
        "(03/26/2026)",
        "Date: 2026-03-26",
    ],
)
def test_date_is_found(text: str) -> None:
    assert dates_in(text) == [DAY]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "March 2026",
        "26/2026",
        "February 30, 2026",
        "13/13/2026",
        "IOE2026-03-261",
        "1/03/26/2026",
        "Item 26 of 2026",
    ],
)
def test_what_is_no_complete_date_is_left_out(text: str) -> None:
    assert dates_in(text) == []


def test_dates_are_returned_once_and_in_order() -> None:
    text = "Notice Date: April 2, 2026. Respond by 06/25/2026 (June 25, 2026). Received March 26, 2026."
    assert dates_in(text) == [DAY, date(2026, 4, 2), date(2026, 6, 25)]


@given(st.text(st.sampled_from("0123456789 /-,.marchdé\n"), max_size=60))
def test_any_text_can_be_searched(text: str) -> None:
    assert dates_in(text) == sorted(set(dates_in(text)))
