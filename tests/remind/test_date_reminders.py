from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.remind.tracked_case import NEW_YORK, SEEN, SentReminders, case, content_of, every_day, item, noon
from watcher.model.appointment_time import appointment_time
from watcher.model.case import ItemKind, ItemState
from watcher.model.change import ChangeKind, Severity
from watcher.settings import AppointmentSettings

YEAR = every_day(date(2026, 1, 1), date(2026, 12, 31))
DUE = date(2026, 3, 26)


def test_a_due_date_has_one_reminder_at_each_distance_and_one_when_it_has_passed() -> None:
    assert SentReminders().days(case(item(due_on=DUE)), YEAR) == [
        ("2026-02-24", "due 2026-03-26 30d"),
        ("2026-03-12", "due 2026-03-26 14d"),
        ("2026-03-19", "due 2026-03-26 7d"),
        ("2026-03-23", "due 2026-03-26 3d"),
        ("2026-03-25", "due 2026-03-26 1d"),
        ("2026-03-27", "due 2026-03-26 passed"),
    ]


def test_a_reminder_contains_the_item_the_date_and_its_source() -> None:
    [reminder] = SentReminders().at(noon(DUE - timedelta(days=7)), case(item(due_by_estimate=DUE)))
    assert (reminder.account, reminder.case_number) == ("family", "IOE0000000001")
    assert reminder.change.kind is ChangeKind.DEADLINE_NEAR
    assert reminder.change.severity is Severity.URGENT
    assert reminder.change.subject == "rfe-1"
    assert reminder.change.new == {
        "key": "rfe-1",
        "kind": "rfe",
        "title": "Something is asked for",
        "place": None,
        "due_on": "2026-03-26",
        "starts_at": None,
        "starts_on": None,
        "source": "estimate",
        "days": 7,
        "item_id": 1,
    }


def test_a_passed_due_date_contains_the_number_of_days() -> None:
    [passed] = SentReminders().at(noon(DUE + timedelta(days=2)), case(item(due_on=DUE)))
    assert passed.change.kind is ChangeKind.DEADLINE_PASSED
    assert (content_of(passed)["days"], content_of(passed)["source"]) == (-2, "portal")


def test_after_downtime_only_the_nearest_reminder_is_due_with_the_days_left() -> None:
    sent, tracked = SentReminders(), case(item(due_on=DUE))
    [reminder] = sent.at(noon(DUE - timedelta(days=2)), tracked)
    assert (reminder.sent_reminder.mark, content_of(reminder)["days"]) == ("due 2026-03-26 3d", 2)
    assert sent.days(tracked, every_day(DUE - timedelta(days=2), DUE)) == [("2026-03-25", "due 2026-03-26 1d")]


def test_after_downtime_beyond_the_date_only_its_passing_is_reported() -> None:
    reminders = SentReminders().days(case(item(due_on=DUE)), [date(2026, 6, 1), date(2026, 6, 2)])
    assert reminders == [("2026-06-01", "due 2026-03-26 passed")]


@pytest.mark.parametrize("state", [ItemState.DONE, ItemState.ANSWERED, ItemState.CLOSED])
def test_an_item_that_is_not_open_has_no_reminders(state: ItemState) -> None:
    starts_at = datetime(2026, 3, 1, 9)  # noqa: DTZ001 - the portal does not say the zone
    assert SentReminders().days(case(item(due_on=DUE, starts_at=starts_at, state=state)), YEAR) == []


def test_a_reopened_item_continues_with_the_next_distance() -> None:
    sent = SentReminders()
    sent.days(case(item(due_on=DUE)), every_day(SEEN.date(), date(2026, 3, 13)))
    sent.days(case(item(due_on=DUE, state=ItemState.DONE)), every_day(date(2026, 3, 14), date(2026, 3, 20)))
    reminders = sent.days(case(item(due_on=DUE)), every_day(date(2026, 3, 21), DUE))
    assert [mark for _, mark in reminders] == ["due 2026-03-26 7d", "due 2026-03-26 3d", "due 2026-03-26 1d"]


def test_a_new_item_with_six_days_left_has_its_first_reminder_at_three() -> None:
    due_on = date(2026, 1, 7)
    reminders = SentReminders().days(case(item(due_on=due_on)), YEAR)
    assert [day for day, _ in reminders] == ["2026-01-04", "2026-01-06", "2026-01-08"]


def test_a_new_item_on_its_due_date_is_only_reported_as_passed() -> None:
    assert SentReminders().days(case(item(due_on=date(2026, 1, 1))), YEAR) == [("2026-01-02", "due 2026-01-01 passed")]


def test_a_due_date_that_had_passed_when_first_seen_is_not_reported() -> None:
    assert SentReminders().days(case(item(due_on=date(2025, 12, 31))), YEAR) == []


def test_a_date_from_the_letter_applies_and_its_reminder_is_due_now() -> None:
    sent, tracked = SentReminders(), case(item(due_by_estimate=date(2026, 6, 1), letter_due_on=date(2026, 1, 3)))
    [reminder] = sent.at(SEEN, tracked)
    assert (content_of(reminder)["due_on"], content_of(reminder)["source"], content_of(reminder)["days"]) == (
        "2026-01-03",
        "letter",
        2,
    )
    past = case(item(due_by_estimate=date(2026, 6, 1), letter_due_on=date(2025, 12, 30)))
    assert [reminder.change.kind for reminder in sent.at(SEEN, past)] == [ChangeKind.DEADLINE_PASSED]


def test_a_letter_that_confirms_the_date_does_not_repeat_reminders() -> None:
    sent = SentReminders()
    sent.days(case(item(due_by_estimate=DUE)), every_day(SEEN.date(), date(2026, 3, 20)))
    confirmed = case(item(due_by_estimate=DUE, letter_due_on=DUE))
    assert sent.days(confirmed, every_day(date(2026, 3, 20), date(2026, 3, 22))) == []


def test_a_due_date_that_moves_has_all_reminders_again() -> None:
    sent, later = SentReminders(), date(2026, 5, 10)
    sent.days(case(item(due_on=DUE)), every_day(SEEN.date(), date(2026, 3, 25)))
    moved = case(item(due_on=later, date_changed_at=noon(date(2026, 3, 25))))
    reminders = sent.days(moved, every_day(date(2026, 3, 25), date(2026, 5, 11)))
    assert [mark.split()[-1] for _, mark in reminders] == ["30d", "14d", "7d", "3d", "1d", "passed"]


def test_an_appointment_has_no_reminder_on_the_day_it_was_moved() -> None:
    moved_on, starts_at = noon(date(2026, 2, 10)), datetime(2026, 2, 15, 14, tzinfo=UTC)
    interview = item(kind=ItemKind.INTERVIEW, starts_at=starts_at, date_changed_at=moved_on)
    assert SentReminders().days(case(interview), YEAR) == [("2026-02-14", "start 2026-02-15T14:00:00Z 1d")]


def test_an_appointment_has_reminders_but_none_when_it_is_over() -> None:
    starts_at = datetime(2026, 2, 6, 9, tzinfo=NEW_YORK)
    interview = item(kind=ItemKind.INTERVIEW, starts_at=starts_at, place="26 Federal Plaza")
    reminders = SentReminders().days(case(interview), YEAR)
    assert [day for day, _ in reminders] == ["2026-01-30", "2026-02-05"]
    [reminder] = SentReminders().at(noon(date(2026, 2, 5)), case(interview))
    new = content_of(reminder)
    assert reminder.change.kind is ChangeKind.DEADLINE_NEAR
    assert (new["starts_at"], new["due_on"], new["source"]) == ("2026-02-06T14:00:00Z", None, None)
    assert (new["place"], new["days"]) == ("26 Federal Plaza", 1)


def test_an_appointment_without_an_hour_has_reminders_until_its_day_is_over() -> None:
    sent, interview = SentReminders(), item(kind=ItemKind.INTERVIEW, starts_at=date(2026, 2, 6))
    assert [mark for _, mark in sent.days(case(interview), [date(2026, 2, 6)])] == ["start 2026-02-06 1d"]
    assert SentReminders().days(case(interview), [date(2026, 2, 7)]) == []


def test_an_appointment_counts_by_the_calendar_of_the_user() -> None:
    starts_at = datetime(2026, 2, 7, 1, tzinfo=UTC)  # 20:00 on the 6th in New York
    reminders = SentReminders().days(case(item(kind=ItemKind.INTERVIEW, starts_at=starts_at)), YEAR)
    assert [day for day, _ in reminders] == ["2026-01-30", "2026-02-05"]


@pytest.mark.parametrize(
    ("name", "stamp", "first_moment"),
    [
        # Friday, 9 AM in the office; the day before begins at midnight there.
        ("Pacific/Honolulu", "2026-02-06T19:00:00+00:00", "2026-02-05T10:00:00+00:00"),
        ("Australia/Sydney", "2026-02-05T22:00:00+00:00", "2026-02-04T13:00:00+00:00"),
        # The night before is an hour shorter or longer: clocks change on March 8 and November 1.
        ("America/New_York", "2026-03-08T13:00:00+00:00", "2026-03-07T05:00:00+00:00"),
        ("America/New_York", "2026-11-01T14:00:00+00:00", "2026-10-31T04:00:00+00:00"),
        ("Australia/Sydney", "2026-04-05T23:00:00+00:00", "2026-04-04T13:00:00+00:00"),
        ("Australia/Sydney", "2026-10-04T22:00:00+00:00", "2026-10-03T14:00:00+00:00"),
    ],
)
def test_an_appointment_counts_by_the_calendar_of_its_office(name: str, stamp: str, first_moment: str) -> None:
    starts_at, first = datetime.fromisoformat(stamp), datetime.fromisoformat(first_moment)
    tracked = case(item(kind=ItemKind.INTERVIEW, starts_at=starts_at))
    sent = SentReminders(zone=ZoneInfo("Europe/Madrid"), office_zone=ZoneInfo(name))
    sent.appointments = AppointmentSettings(remind=(timedelta(days=1),))
    assert sent.at(first - timedelta(seconds=1), tracked) == []
    assert [content_of(reminder)["days"] for reminder in sent.at(first, tracked)] == [1]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["Pacific/Honolulu", "Australia/Sydney", "America/New_York"]),
    st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - hypothesis wants naive bounds
    st.integers(0, 20 * 24 * 60),
)
def test_a_reminder_never_comes_after_the_moment_and_states_the_days_of_the_office(
    name: str, stamp: datetime, minutes_before: int
) -> None:
    office, starts_at = ZoneInfo(name), appointment_time(stamp.replace(second=1, tzinfo=UTC))
    tracked = case(item(kind=ItemKind.INTERVIEW, starts_at=stamp.replace(second=1, tzinfo=UTC)))
    begins_at = stamp.replace(second=1, microsecond=0, tzinfo=UTC)
    now = begins_at - timedelta(minutes=minutes_before)
    left = (starts_at.day_in(office) - now.astimezone(office).date()).days
    due = SentReminders(office_zone=office).at(now, tracked)
    assert bool(due) is (now < begins_at and left <= 7)
    assert all(content_of(reminder)["days"] == left for reminder in due)


def test_a_distance_in_hours_is_counted_from_the_hour_of_the_appointment() -> None:
    sent = SentReminders()
    sent.appointments = AppointmentSettings(remind=(timedelta(hours=2),))
    wall = datetime(2026, 2, 6, 9)  # noqa: DTZ001 - the portal does not say the zone; the user's is taken
    tracked = case(item(kind=ItemKind.INTERVIEW, starts_at=wall))
    seven = datetime(2026, 2, 6, 7, tzinfo=NEW_YORK)
    assert sent.at(seven - timedelta(seconds=1), tracked) == []
    assert [reminder.sent_reminder.mark for reminder in sent.at(seven, tracked)] == ["start 2026-02-06T09:00:00 2h"]
    assert SentReminders().at(seven + timedelta(hours=2), tracked) == []


def test_an_appointment_on_its_due_date_has_only_the_reminders_of_an_appointment() -> None:
    interview = item(kind=ItemKind.INTERVIEW, starts_at=date(2026, 2, 6), due_on=date(2026, 2, 6))
    assert {mark.split()[0] for _, mark in SentReminders().days(case(interview), YEAR)} == {"start"}


def test_a_distance_removed_from_the_settings_and_restored_is_not_repeated() -> None:
    sent, tracked = SentReminders(), case(item(due_on=DUE))
    sent.at(noon(date(2026, 3, 20)), tracked)
    defaults, sent.deadlines = sent.deadlines, sent.deadlines.model_copy(update={"remind": (timedelta(days=20),)})
    assert sent.at(noon(date(2026, 3, 20)), tracked) == []
    sent.deadlines = defaults
    assert sent.at(noon(date(2026, 3, 20)), tracked) == []


def test_reminders_on_the_same_day_are_ordered_by_date() -> None:
    first, second = item(key="b", due_on=date(2026, 2, 1)), item(key="a", due_on=date(2026, 2, 5))
    reminders = SentReminders().at(noon(date(2026, 1, 31)), case(second, first))
    assert [reminder.sent_reminder.subject for reminder in reminders] == ["b", "a"]


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Madrid", "Asia/Tokyo", "Pacific/Honolulu", "America/Nuuk"]
)
@given(
    due_in=st.integers(0, 400),
    active_hours=st.lists(st.integers(0, 450 * 24), max_size=60, unique=True).map(sorted),
)
def test_over_the_years_each_reminder_is_due_once_and_none_early(
    zone: str, due_in: int, active_hours: list[int]
) -> None:
    sent = SentReminders(zone=ZoneInfo(zone))
    first_day = SEEN.astimezone(sent.zone).date()
    due_on = first_day + timedelta(days=due_in)
    distances = []
    for hours in active_hours:
        now = SEEN + timedelta(hours=hours)
        left = (due_on - now.astimezone(sent.zone).date()).days
        reminders = sent.at(now, case(item(due_on=due_on)))
        assert len(reminders) <= 1
        for reminder in reminders:
            days_left = content_of(reminder)["days"]
            assert days_left == left
            distance = reminder.sent_reminder.mark.split()[-1]
            distances.append(-1 if distance == "passed" else int(distance.removesuffix("d")))
            assert left <= distances[-1] < due_in or (distances[-1] == -1 and left < 0)
    assert all(nearer < farther for farther, nearer in pairwise(distances))
    lefts = [(due_on - (SEEN + timedelta(hours=hours)).astimezone(sent.zone).date()).days for hours in active_hours]
    reached = {d for d in (30, 14, 7, 3, 1) if d < due_in and any(0 <= left <= d for left in lefts)}
    assert not distances or min(distances) == (-1 if lefts[-1] < 0 else min(reached))
    assert bool(distances) is bool(reached or (lefts and lefts[-1] < 0))


@pytest.mark.parametrize(
    ("dates", "passed_on"),
    [
        ({"due_by_estimate": date(2026, 10, 3)}, date(2026, 10, 6)),  # Saturday: by 8 CFR 1.2 until Monday
        ({"due_on": date(2026, 10, 3)}, date(2026, 10, 4)),
        ({"due_by_estimate": date(2026, 10, 3), "letter_due_on": date(2026, 10, 3)}, date(2026, 10, 4)),
    ],
)
def test_only_an_estimate_on_a_weekend_passes_after_the_next_business_day(
    dates: dict[str, Any], passed_on: date
) -> None:
    reminders = SentReminders().days(case(item(**dates)), every_day(date(2026, 10, 1), date(2026, 10, 9)))
    assert reminders == [
        ("2026-10-01", "due 2026-10-03 3d"),
        ("2026-10-02", "due 2026-10-03 1d"),
        (passed_on.isoformat(), "due 2026-10-03 passed"),
    ]


def test_reminder_on_the_weekend_counts_the_days_until_the_next_business_day() -> None:
    [reminder] = SentReminders().at(noon(date(2026, 10, 4)), case(item(due_by_estimate=date(2026, 10, 3))))
    assert (content_of(reminder)["days"], content_of(reminder)["due_on"]) == (1, "2026-10-03")
