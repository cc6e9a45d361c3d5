"""A case is compared with the inquiry dates of its form, and nothing is claimed that the list does not say."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.lists import ORIGIN, TODAY, inquiry_dates
from watcher.errors import UnexpectedAnswer
from watcher.reference.inquiry_dates import InquiryStanding, Standing, inquiry_standing, parse_inquiry_dates

DAYS = st.dates(date(2020, 1, 1), date(2026, 8, 31))


def standing(text: str | None = None, **case: Any) -> InquiryStanding | None:
    facts: dict[str, Any] = {"form": "I-765", "office": None, "subtype": None, "received_on": date(2026, 1, 9)}
    dates = inquiry_dates() if text is None else inquiry_dates(text)
    return inquiry_standing(dates, **{**facts, "today": TODAY, **case})


def state(text: str | None = None, **case: Any) -> Standing | None:
    found = standing(text, **case)
    return found.state if found else None


def test_case_received_strictly_before_the_inquiry_date_is_open() -> None:
    assert state(received_on=date(2026, 1, 9)) is Standing.OPEN
    assert state(received_on=date(2026, 1, 10)) is Standing.NOT_YET


def test_open_case_names_the_date_the_day_of_the_list_and_its_source() -> None:
    found = standing()
    assert found is not None
    assert (found.day, found.as_of, found.source) == (date(2026, 1, 10), date(2026, 9, 1), "data.example.org")
    assert (found.is_open, found.is_known, found.is_old) == (True, True, False)


def test_form_that_is_not_on_the_list_has_no_standing() -> None:
    assert standing(form="N-400") is None
    assert standing(form=None) is None


def test_missing_date_and_missing_receipt_are_unknown() -> None:
    assert state(form="I-90", received_on=date(2000, 1, 1)) is Standing.UNKNOWN
    assert state(received_on=None) is Standing.UNKNOWN


def test_lines_that_may_apply_must_agree() -> None:
    assert state(form="I-485", received_on=date(2025, 1, 31)) is Standing.OPEN
    assert state(form="I-485", received_on=date(2025, 3, 1)) is Standing.UNKNOWN
    assert state(form="I-485", received_on=date(2025, 3, 1), subtype="family based") is Standing.OPEN
    assert state(form="I-485", received_on=date(2025, 3, 1), subtype="Employment-Based") is Standing.NOT_YET
    assert state(form="I-485", received_on=date(2025, 6, 1)) is Standing.NOT_YET


def test_one_line_without_a_date_leaves_the_others_undecided() -> None:
    text = "form,subtype,office,inquiry_date\nI-485,A,,2025-02-01\nI-485,B,,soon"
    assert state(text, form="I-485", received_on=date(2020, 1, 1)) is Standing.UNKNOWN
    assert state(text, form="I-485", received_on=date(2020, 1, 1), subtype="a") is Standing.OPEN


@pytest.mark.parametrize("office", ["CSC", "Nebraska Service Center", "SCOPS", "Service Center Operations", "YSC"])
def test_service_centers_are_one_office(office: str) -> None:
    assert state(form="I-130", office=office, received_on=date(2024, 5, 4)) is Standing.OPEN


def test_other_office_is_unknown_and_its_short_name_is_the_same() -> None:
    assert state(form="I-130", office="Chicago Field Office", received_on=date(2020, 1, 1)) is Standing.UNKNOWN
    assert (
        state(form="I-485", office="NATIONAL BENEFITS CENTER", received_on=date(2025, 1, 1), subtype="family-based")
        is Standing.OPEN
    )


def test_line_for_any_office_applies_where_none_names_the_office() -> None:
    text = "form,subtype,office,inquiry_date\nI-130,,,2024-01-01\nI-130,,NBC,2025-01-01"
    assert state(text, form="I-130", office="NBC", received_on=date(2024, 6, 1)) is Standing.OPEN
    assert state(text, form="I-130", office="Chicago", received_on=date(2024, 6, 1)) is Standing.NOT_YET


def test_old_list_decides_nothing() -> None:
    found = standing(today=TODAY + timedelta(days=60))
    assert found is not None
    assert (found.state, found.is_old, found.is_open, found.is_known) == (Standing.OPEN, True, False, False)


def test_date_that_is_not_before_the_day_of_the_list_is_unknown() -> None:
    text = "form,subtype,office,inquiry_date,as_of\nI-765,,,2926-01-10,2026-09-01"
    assert state(text) is Standing.UNKNOWN


def test_line_without_its_own_day_is_of_the_day_on_which_the_list_was_saved() -> None:
    found = standing("form,subtype,office,inquiry_date\nI-765,,,2026-01-10")
    assert found is not None
    assert found.as_of == ORIGIN.saved_on


def test_header_decides_the_order_and_may_be_missing() -> None:
    assert state("inquiry_date,office,form,subtype,more\n2026-01-10,,i765,,x") is Standing.OPEN
    assert state("I-765,,,2026-01-10") is Standing.OPEN
    assert state('[{"form": "I-765", "inquiry_date": "2026-01-10"}]') is Standing.OPEN


@pytest.mark.parametrize(
    "body", [b"", b"form,days\nI-485,420", b"\xff\xfe\x00", b"{}", b"[1, 2]", b"<html>", b"[", b"5", b'{"rows": {}}']
)
def test_list_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_inquiry_dates(body, ORIGIN)


@given(DAYS, DAYS, st.integers(0, 400))
def test_earlier_receipt_is_open_wherever_a_later_one_is(inquiry: date, received: date, earlier: int) -> None:
    text = f"form,subtype,office,inquiry_date,as_of\nI-765,,,{inquiry},2026-09-01"
    assert state(text, received_on=received) is (Standing.OPEN if received < inquiry else Standing.NOT_YET)
    if state(text, received_on=received) is Standing.OPEN:
        assert state(text, received_on=received - timedelta(days=earlier)) is Standing.OPEN


@given(st.lists(DAYS | st.none(), min_size=1, max_size=4), DAYS)
def test_unknown_stays_unknown_and_more_lines_claim_less(days: list[date | None], received: date) -> None:
    lines = [f"I-765,{index},,{day or ''},2026-09-01" for index, day in enumerate(days)]
    text = "\n".join(["form,subtype,office,inquiry_date,as_of", *lines])
    found, alone = state(text, received_on=received), [state(f"{line}", received_on=received) for line in lines]
    if found is not Standing.UNKNOWN:
        assert set(alone) == {found}
    if None in days:
        assert found is Standing.UNKNOWN
