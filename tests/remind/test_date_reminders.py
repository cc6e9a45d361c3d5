from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.remind.tracked_case import NEW_YORK, SEEN, Memory, case, every_day, item, noon, said
from watcher.model.case import ItemKind, ItemState
from watcher.model.change import ChangeKind, Severity
from watcher.settings import AppointmentSettings

YEAR = every_day(date(2026, 1, 1), date(2026, 12, 31))
DUE = date(2026, 3, 26)


def test_a_due_date_is_told_at_each_distance_once_and_once_when_it_has_passed() -> None:
    assert Memory().days(case(item(due_on=DUE)), YEAR) == [
        ("2026-02-24", "due 2026-03-26 30d"),
        ("2026-03-12", "due 2026-03-26 14d"),
        ("2026-03-19", "due 2026-03-26 7d"),
        ("2026-03-23", "due 2026-03-26 3d"),
        ("2026-03-25", "due 2026-03-26 1d"),
        ("2026-03-27", "due 2026-03-26 passed"),
    ]


def test_a_reminder_says_what_is_due_when_and_where_the_date_comes_from() -> None:
    [near] = Memory().at(noon(DUE - timedelta(days=7)), case(item(due_by_estimate=DUE)))
    assert (near.account, near.case_number) == ("family", "IOE0000000001")
    assert near.change.kind is ChangeKind.DEADLINE_NEAR
    assert near.change.severity is Severity.URGENT
    assert near.change.subject == "rfe-1"
    assert near.change.new == {
        "key": "rfe-1",
        "kind": "rfe",
        "title": "Something is asked for",
        "place": None,
        "due_on": "2026-03-26",
        "starts_at": None,
        "source": "estimate",
        "days": 7,
        "item_id": 1,
    }


def test_a_passed_due_date_says_for_how_many_days() -> None:
    [passed] = Memory().at(noon(DUE + timedelta(days=2)), case(item(due_on=DUE)))
    assert passed.change.kind is ChangeKind.DEADLINE_PASSED
    assert (said(passed)["days"], said(passed)["source"]) == (-2, "portal")


def test_after_a_sleep_only_the_nearest_reminder_comes_with_the_days_that_are_left() -> None:
    memory, standing = Memory(), case(item(due_on=DUE))
    [near] = memory.at(noon(DUE - timedelta(days=2)), standing)
    assert (near.sent_reminder.mark, said(near)["days"]) == ("due 2026-03-26 3d", 2)
    assert memory.days(standing, every_day(DUE - timedelta(days=2), DUE)) == [("2026-03-25", "due 2026-03-26 1d")]


def test_after_a_sleep_past_the_date_only_its_passing_is_told() -> None:
    found = Memory().days(case(item(due_on=DUE)), [date(2026, 6, 1), date(2026, 6, 2)])
    assert found == [("2026-06-01", "due 2026-03-26 passed")]


@pytest.mark.parametrize("state", [ItemState.DONE, ItemState.ANSWERED, ItemState.CLOSED])
def test_what_is_no_longer_open_is_not_reminded_of(state: ItemState) -> None:
    starts_at = datetime(2026, 3, 1, 9)  # noqa: DTZ001 - the portal does not say the zone
    assert Memory().days(case(item(due_on=DUE, starts_at=starts_at, state=state)), YEAR) == []


def test_an_item_that_is_opened_again_goes_on_where_it_stopped() -> None:
    memory = Memory()
    memory.days(case(item(due_on=DUE)), every_day(SEEN.date(), date(2026, 3, 13)))
    memory.days(case(item(due_on=DUE, state=ItemState.DONE)), every_day(date(2026, 3, 14), date(2026, 3, 20)))
    found = memory.days(case(item(due_on=DUE)), every_day(date(2026, 3, 21), DUE))
    assert [mark for _, mark in found] == ["due 2026-03-26 7d", "due 2026-03-26 3d", "due 2026-03-26 1d"]


def test_what_arrives_with_six_days_left_is_reminded_of_at_three() -> None:
    due_on = date(2026, 1, 7)
    found = Memory().days(case(item(due_on=due_on)), YEAR)
    assert [day for day, _ in found] == ["2026-01-04", "2026-01-06", "2026-01-08"]


def test_what_arrives_on_the_last_day_is_only_told_as_passed() -> None:
    assert Memory().days(case(item(due_on=date(2026, 1, 1))), YEAR) == [("2026-01-02", "due 2026-01-01 passed")]


def test_what_had_passed_when_it_was_first_seen_is_not_told_as_passing() -> None:
    assert Memory().days(case(item(due_on=date(2025, 12, 31))), YEAR) == []


def test_the_date_from_the_letter_counts_and_is_told_at_once() -> None:
    memory, standing = Memory(), case(item(due_by_estimate=date(2026, 6, 1), letter_due_on=date(2026, 1, 3)))
    [near] = memory.at(SEEN, standing)
    assert (said(near)["due_on"], said(near)["source"], said(near)["days"]) == ("2026-01-03", "letter", 2)
    past = case(item(due_by_estimate=date(2026, 6, 1), letter_due_on=date(2025, 12, 30)))
    assert [told.change.kind for told in memory.at(SEEN, past)] == [ChangeKind.DEADLINE_PASSED]


def test_the_letter_that_confirms_the_date_is_no_new_date() -> None:
    memory = Memory()
    memory.days(case(item(due_by_estimate=DUE)), every_day(SEEN.date(), date(2026, 3, 20)))
    confirmed = case(item(due_by_estimate=DUE, letter_due_on=DUE))
    assert memory.days(confirmed, every_day(date(2026, 3, 20), date(2026, 3, 22))) == []


def test_a_due_date_that_moves_begins_anew() -> None:
    memory, later = Memory(), date(2026, 5, 10)
    memory.days(case(item(due_on=DUE)), every_day(SEEN.date(), date(2026, 3, 25)))
    moved = case(item(due_on=later, date_changed_at=noon(date(2026, 3, 25))))
    found = memory.days(moved, every_day(date(2026, 3, 25), date(2026, 5, 11)))
    assert [mark.split()[-1] for _, mark in found] == ["30d", "14d", "7d", "3d", "1d", "passed"]


def test_an_appointment_that_moves_is_not_reminded_of_on_the_day_it_moved() -> None:
    moved_on, starts_at = noon(date(2026, 2, 10)), datetime(2026, 2, 15, 14, tzinfo=UTC)
    interview = item(kind=ItemKind.INTERVIEW, starts_at=starts_at, date_changed_at=moved_on)
    assert Memory().days(case(interview), YEAR) == [("2026-02-14", "start 2026-02-15T14:00:00+00:00 1d")]


def test_an_appointment_is_reminded_of_and_its_passing_is_no_news() -> None:
    starts_at = datetime(2026, 2, 6, 9, tzinfo=NEW_YORK)
    interview = item(kind=ItemKind.INTERVIEW, starts_at=starts_at, place="26 Federal Plaza")
    found = Memory().days(case(interview), YEAR)
    assert [day for day, _ in found] == ["2026-01-30", "2026-02-05"]
    [near] = Memory().at(noon(date(2026, 2, 5)), case(interview))
    new = said(near)
    assert near.change.kind is ChangeKind.DEADLINE_NEAR
    assert (new["starts_at"], new["due_on"], new["source"]) == ("2026-02-06T09:00:00-05:00", None, None)
    assert (new["place"], new["days"]) == ("26 Federal Plaza", 1)


def test_an_appointment_of_which_only_the_day_is_known_is_reminded_of_until_that_day_is_over() -> None:
    memory, interview = Memory(), item(kind=ItemKind.INTERVIEW, starts_at=date(2026, 2, 6))
    assert [mark for _, mark in memory.days(case(interview), [date(2026, 2, 6)])] == ["start 2026-02-06 1d"]
    assert Memory().days(case(interview), [date(2026, 2, 7)]) == []


def test_an_appointment_on_the_evening_of_another_day_counts_by_the_users_calendar() -> None:
    starts_at = datetime(2026, 2, 7, 1, tzinfo=UTC)  # 20:00 on the 6th in New York
    found = Memory().days(case(item(kind=ItemKind.INTERVIEW, starts_at=starts_at)), YEAR)
    assert [day for day, _ in found] == ["2026-01-30", "2026-02-05"]


def test_a_distance_in_hours_counts_from_the_hour_of_the_appointment() -> None:
    memory = Memory()
    memory.appointments = AppointmentSettings(remind=(timedelta(hours=2),))
    wall = datetime(2026, 2, 6, 9)  # noqa: DTZ001 - the portal does not say the zone; the user's is taken
    standing = case(item(kind=ItemKind.INTERVIEW, starts_at=wall))
    seven = datetime(2026, 2, 6, 7, tzinfo=NEW_YORK)
    assert memory.at(seven - timedelta(seconds=1), standing) == []
    assert [told.sent_reminder.mark for told in memory.at(seven, standing)] == ["start 2026-02-06T09:00:00 2h"]
    assert Memory().at(seven + timedelta(hours=2), standing) == []


def test_an_appointment_whose_day_is_also_the_due_date_is_told_once() -> None:
    interview = item(kind=ItemKind.INTERVIEW, starts_at=date(2026, 2, 6), due_on=date(2026, 2, 6))
    assert {mark.split()[0] for _, mark in Memory().days(case(interview), YEAR)} == {"start"}


def test_a_distance_that_is_taken_out_of_the_settings_and_put_back_is_not_told_again() -> None:
    memory, standing = Memory(), case(item(due_on=DUE))
    memory.at(noon(date(2026, 3, 20)), standing)
    usual, memory.deadlines = memory.deadlines, memory.deadlines.model_copy(update={"remind": (timedelta(days=20),)})
    assert memory.at(noon(date(2026, 3, 20)), standing) == []
    memory.deadlines = usual
    assert memory.at(noon(date(2026, 3, 20)), standing) == []


def test_dates_that_come_on_one_day_are_told_soonest_first() -> None:
    first, second = item(key="b", due_on=date(2026, 2, 1)), item(key="a", due_on=date(2026, 2, 5))
    found = Memory().at(noon(date(2026, 1, 31)), case(second, first))
    assert [told.sent_reminder.subject for told in found] == ["b", "a"]


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Madrid", "Asia/Tokyo", "Pacific/Honolulu", "America/Nuuk"]
)
@given(
    due_in=st.integers(0, 400),
    wakings=st.lists(st.integers(0, 450 * 24), max_size=60, unique=True).map(sorted),
)
def test_over_the_years_every_reminder_comes_once_none_early_and_the_last_says_it_all(
    zone: str, due_in: int, wakings: list[int]
) -> None:
    memory = Memory(zone=ZoneInfo(zone))
    first_day = SEEN.astimezone(memory.zone).date()
    due_on = first_day + timedelta(days=due_in)
    told = []
    for hours in wakings:
        now = SEEN + timedelta(hours=hours)
        left = (due_on - now.astimezone(memory.zone).date()).days
        found = memory.at(now, case(item(due_on=due_on)))
        assert len(found) <= 1
        for reminded in found:
            said_days = said(reminded)["days"]
            assert said_days == left
            distance = reminded.sent_reminder.mark.split()[-1]
            told.append(-1 if distance == "passed" else int(distance.removesuffix("d")))
            assert left <= told[-1] < due_in or (told[-1] == -1 and left < 0)
    assert all(nearer < farther for farther, nearer in pairwise(told))
    lefts = [(due_on - (SEEN + timedelta(hours=hours)).astimezone(memory.zone).date()).days for hours in wakings]
    reached = {d for d in (30, 14, 7, 3, 1) if d < due_in and any(0 <= left <= d for left in lefts)}
    assert not told or min(told) == (-1 if lefts[-1] < 0 else min(reached))
    assert bool(told) is bool(reached or (lefts and lefts[-1] < 0))
