from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from tests.remind.tracked_case import NEW_YORK, case, item
from watcher.export.ics import calendar
from watcher.language.catalogue import LANGUAGES
from watcher.model.case import ItemKind, ItemState
from watcher.model.ledger import TrackedCase, TrackedItem

DUE = date(2026, 3, 26)
PLACE = "26 Federal Plaza, Room 7; New York"
RFE = item(due_by_estimate=DUE)


def interview(**more: Any) -> TrackedItem:
    known = {"id": 2, "starts_at": datetime(2026, 11, 6, 14, tzinfo=UTC), "place": PLACE, **more}
    return item(key="interview-1", kind=ItemKind.INTERVIEW, **known)


def written(*cases: TrackedCase, masked: bool = False, zone: ZoneInfo = NEW_YORK, language: str = "en") -> bytes:
    return calendar(cases, language=language, zone=zone, masked=masked)


def components(content: bytes, name: str) -> list[Any]:
    return list(icalendar.Calendar.from_ical(content).walk(name))


def events(*items: TrackedItem, **more: Any) -> list[Any]:
    return components(written(case(*items, form="I-485"), **more), "VEVENT")


def event(entry: TrackedItem, **more: Any) -> Any:
    [found] = events(entry, **more)
    return found


def alarms(found: Any) -> list[timedelta]:
    return [alarm.decoded("trigger") for alarm in found.walk("VALARM")]


def test_a_due_date_is_an_event_of_the_whole_day_with_alarms_in_the_morning() -> None:
    found = event(item(due_on=DUE))
    assert found.decoded("dtstart") == DUE
    assert found["summary"] == "Answer due: Request for evidence - IOE0000000001 (I-485)"
    assert found["status"] == "CONFIRMED"
    nine = timedelta(hours=9)
    assert alarms(found) == [timedelta(days=-7) + nine, timedelta(days=-1) + nine]


def test_an_estimate_is_marked_as_one_wherever_it_is_shown() -> None:
    found = event(RFE)
    assert found["status"] == "TENTATIVE"
    assert "(an estimate)" in found["summary"]
    assert "The date printed on your notice governs." in found["description"]
    assert all("(an estimate)" in alarm["description"] for alarm in found.walk("VALARM"))


def test_the_date_from_the_letter_is_no_estimate() -> None:
    found = event(item(due_by_estimate=DUE, letter_due_on=date(2026, 3, 1)))
    assert (found.decoded("dtstart"), found["status"]) == (date(2026, 3, 1), "CONFIRMED")
    assert "estimate" not in found["summary"] + found["description"]


def test_an_appointment_stands_at_its_moment_in_the_users_zone_with_its_place() -> None:
    found = event(interview())
    assert found.decoded("dtstart") == datetime(2026, 11, 6, 9, tzinfo=NEW_YORK)
    assert found["dtstart"].params["TZID"] == "America/New_York"
    assert found["location"] == PLACE
    assert found["summary"] == "Interview - IOE0000000001 (I-485)"
    assert alarms(found) == [timedelta(days=-1), timedelta(hours=-2)]


def test_the_zone_of_an_appointment_comes_with_the_file() -> None:
    [zone] = components(written(case(interview())), "VTIMEZONE")
    at = datetime(2026, 11, 6, 9, tzinfo=zone.to_tz(lookup_tzid=False))
    assert at.utcoffset() == timedelta(hours=-5)


def test_a_wall_clock_time_whose_zone_nobody_said_stays_one() -> None:
    wall = datetime(2026, 11, 6, 9)  # noqa: DTZ001 - that is the point
    found = event(interview(starts_at=wall))
    assert found.decoded("dtstart") == wall
    assert "TZID" not in found["dtstart"].params


def test_an_appointment_of_which_only_the_day_is_known_is_an_event_of_the_whole_day() -> None:
    found = event(interview(starts_at=date(2026, 11, 6)))
    assert found.decoded("dtstart") == date(2026, 11, 6)
    assert min(alarms(found)) > timedelta(days=-7)


def test_an_item_with_an_appointment_and_another_due_date_is_two_events() -> None:
    found = events(interview(due_on=DUE))
    assert [each["summary"].split(" - ")[0] for each in found] == ["Interview", "Answer due: Interview"]
    assert len({each["uid"] for each in found}) == 2


def test_an_item_without_any_date_is_no_event() -> None:
    assert events(item()) == []


def test_what_the_portal_no_longer_asks_for_is_cancelled_under_the_same_identifier() -> None:
    before, after = event(interview()), event(interview(state=ItemState.CLOSED))
    assert after["uid"] == before["uid"]
    assert (before["status"], after["status"]) == ("CONFIRMED", "CANCELLED")
    assert after["sequence"] > before["sequence"]
    assert alarms(after) == []


@pytest.mark.parametrize("state", [ItemState.DONE, ItemState.ANSWERED])
def test_what_was_done_stays_without_alarms(state: ItemState) -> None:
    found = event(item(due_on=DUE, state=state))
    assert found["status"] == "CONFIRMED"
    assert found["summary"].startswith("✓ ")
    assert alarms(found) == []


def test_every_revision_has_a_higher_sequence_and_the_same_identifier() -> None:
    first = RFE.first_seen_at
    revisions = [
        item(due_on=DUE),
        item(due_on=DUE, letter_due_on=DUE),
        item(due_on=DUE, letter_due_on=DUE, state=ItemState.DONE),
        item(due_on=DUE, date_changed_at=first + timedelta(seconds=5)),
        item(due_on=DUE, date_changed_at=first + timedelta(days=5)),
        item(due_on=DUE, date_changed_at=first + timedelta(days=5), state=ItemState.CLOSED),
        item(due_on=DUE, date_changed_at=first + timedelta(days=5, minutes=1)),
    ]
    found = [event(revision) for revision in revisions]
    sequences = [each["sequence"] for each in found]
    assert sequences == sorted(set(sequences))
    assert len({each["uid"] for each in found}) == 1


def test_the_same_books_give_the_same_bytes() -> None:
    assert written(case(RFE, interview())) == written(case(RFE, interview()))


def test_a_masked_calendar_names_no_case_number_anywhere() -> None:
    wordy = interview(title="Interview for IOE0000000001", place="Room 1, bring IOE0000000001")
    content = written(case(RFE, wordy, form="I-485"), masked=True)
    assert b"0000000001" not in content.replace(b"\r\n ", b"")
    assert "IOE••••••0001 (I-485)" in content.replace(b"\r\n ", b"").decode()


def test_an_empty_ledger_is_an_empty_calendar_that_can_be_read() -> None:
    assert components(written(), "VEVENT") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_calendar_speaks_the_users_language(language: str) -> None:
    found = event(RFE, language=language)
    assert found["summary"].endswith(" - IOE0000000001 (I-485)")
    assert ("Request for evidence" in found["summary"]) is (language == "en")
    assert found["description"].count("\n") == 1


def second_reading(content: bytes) -> Iterable[Any]:
    return vobject.readOne(content.decode()).vevent_list  # type: ignore[no-any-return]


def test_a_second_reader_reads_the_same() -> None:
    rfe, meeting, gone = second_reading(
        written(case(RFE, interview(), interview(id=3, state=ItemState.CLOSED), form="I-485"))
    )
    assert rfe.dtstart.value == DUE
    assert meeting.dtstart.value == datetime(2026, 11, 6, 9, tzinfo=NEW_YORK)
    assert meeting.location.value == PLACE
    assert [each.trigger.value for each in meeting.valarm_list] == [timedelta(days=-1), timedelta(hours=-2)]
    assert gone.status.value == "CANCELLED"


@given(
    title=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=120),
    place=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=120),
)
def test_a_portals_text_never_becomes_another_property(title: str, place: str) -> None:
    hostile = item(key="interview-1", kind=ItemKind.INTERVIEW, starts_at=date(2026, 11, 6), place=place, title=title)
    found = event(hostile)
    assert found["location"] == place
    assert title in found["description"]
    assert set(found) == set(event(interview(starts_at=date(2026, 11, 6))))
