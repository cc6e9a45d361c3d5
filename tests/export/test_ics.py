import re
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
from watcher.messages import LANGUAGES
from watcher.model.case import ItemKind, ItemState
from watcher.model.ledger import TrackedCase, TrackedItem

DUE = date(2026, 3, 26)
PLACE = "26 Federal Plaza, Room 7; New York"
RFE = item(due_by_estimate=DUE)


def interview(**options: Any) -> TrackedItem:
    fields = {"id": 2, "starts_at": datetime(2026, 11, 6, 14, tzinfo=UTC), "place": PLACE, **options}
    return item(key="interview-1", kind=ItemKind.INTERVIEW, **fields)


def calendar_of(*cases: TrackedCase, masked: bool = False, zone: ZoneInfo = NEW_YORK, language: str = "en") -> bytes:
    return calendar(cases, language=language, zone=zone, masked=masked)


def components(content: bytes, name: str) -> list[Any]:
    return list(icalendar.Calendar.from_ical(content).walk(name))


def events(*items: TrackedItem, **options: Any) -> list[Any]:
    return components(calendar_of(case(*items, form="I-485"), **options), "VEVENT")


def event(tracked: TrackedItem, **options: Any) -> Any:
    [result] = events(tracked, **options)
    return result


def alarms(result: Any) -> list[timedelta]:
    return [alarm.decoded("trigger") for alarm in result.walk("VALARM")]


def test_due_date_is_an_all_day_event_with_alarms_in_the_morning() -> None:
    result = event(item(due_on=DUE))
    assert result.decoded("dtstart") == DUE
    assert result["summary"] == "Answer due: Request for evidence - IOE0000000001 (I-485)"
    assert result["status"] == "CONFIRMED"
    nine = timedelta(hours=9)
    assert alarms(result) == [timedelta(days=-7) + nine, timedelta(days=-1) + nine]


def test_estimate_is_marked_everywhere() -> None:
    result = event(RFE)
    assert result["status"] == "TENTATIVE"
    assert "(estimate)" in result["summary"]
    assert "The date printed on your notice governs." in result["description"]
    assert all("(estimate)" in alarm["description"] for alarm in result.walk("VALARM"))


def test_estimate_on_a_weekend_names_the_next_business_day() -> None:
    saturday = event(item(due_by_estimate=date(2026, 10, 3)))
    assert "By 8 CFR 1.2 the period runs until Monday, October 5, 2026." in saturday["description"]
    assert saturday.decoded("dtstart") == date(2026, 10, 3)
    assert "8 CFR" not in event(RFE)["description"]


def test_date_from_the_letter_is_not_an_estimate() -> None:
    result = event(item(due_by_estimate=DUE, letter_due_on=date(2026, 3, 1)))
    assert (result.decoded("dtstart"), result["status"]) == (date(2026, 3, 1), "CONFIRMED")
    assert "estimate" not in result["summary"] + result["description"]


def test_appointment_is_in_the_users_zone_with_its_place() -> None:
    result = event(interview())
    assert result.decoded("dtstart") == datetime(2026, 11, 6, 9, tzinfo=NEW_YORK)
    assert result["dtstart"].params["TZID"] == "America/New_York"
    assert result["location"] == PLACE
    assert result["summary"] == "Interview - IOE0000000001 (I-485)"
    assert alarms(result) == [timedelta(days=-1), timedelta(hours=-2)]


def test_calendar_contains_the_zone_of_an_appointment() -> None:
    [zone] = components(calendar_of(case(interview())), "VTIMEZONE")
    at = datetime(2026, 11, 6, 9, tzinfo=zone.to_tz(lookup_tzid=False))
    assert at.utcoffset() == timedelta(hours=-5)


def test_time_without_a_zone_remains_floating() -> None:
    floating = datetime(2026, 11, 6, 9)  # noqa: DTZ001 - a time without a zone is the subject of the test
    result = event(interview(starts_at=floating))
    assert result.decoded("dtstart") == floating
    assert "TZID" not in result["dtstart"].params


def test_appointment_without_a_time_is_an_all_day_event() -> None:
    result = event(interview(starts_at=date(2026, 11, 6)))
    assert result.decoded("dtstart") == date(2026, 11, 6)
    assert min(alarms(result)) > timedelta(days=-7)


def test_item_with_an_appointment_and_a_due_date_is_two_events() -> None:
    result = events(interview(due_on=DUE))
    assert [entry["summary"].split(" - ")[0] for entry in result] == ["Interview", "Answer due: Interview"]
    assert len({entry["uid"] for entry in result}) == 2


def test_item_without_a_date_has_no_event() -> None:
    assert events(item()) == []


def test_closed_item_is_cancelled_with_the_same_identifier() -> None:
    before, after = event(interview()), event(interview(state=ItemState.CLOSED))
    assert after["uid"] == before["uid"]
    assert (before["status"], after["status"]) == ("CONFIRMED", "CANCELLED")
    assert after["sequence"] > before["sequence"]
    assert alarms(after) == []


@pytest.mark.parametrize("state", [ItemState.DONE, ItemState.ANSWERED])
def test_done_item_remains_without_alarms(state: ItemState) -> None:
    result = event(item(due_on=DUE, state=state))
    assert result["status"] == "CONFIRMED"
    assert result["summary"].startswith("✓ ")
    assert alarms(result) == []


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
    result = [event(revision) for revision in revisions]
    sequences = [entry["sequence"] for entry in result]
    assert sequences == sorted(set(sequences))
    assert len({entry["uid"] for entry in result}) == 1


def test_same_ledger_gives_the_same_bytes() -> None:
    assert calendar_of(case(RFE, interview())) == calendar_of(case(RFE, interview()))


def test_masked_calendar_contains_no_case_number() -> None:
    with_numbers = interview(title="Interview for IOE0000000001", place="Room 1, bring IOE0000000001")
    content = calendar_of(case(RFE, with_numbers, form="I-485"), masked=True)
    assert b"0000000001" not in content.replace(b"\r\n ", b"")
    assert "IOE••••••0001 (I-485)" in content.replace(b"\r\n ", b"").decode()


def test_empty_ledger_is_a_valid_empty_calendar() -> None:
    assert components(calendar_of(), "VEVENT") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_calendar_is_in_the_users_language(language: str) -> None:
    result = event(RFE, language=language)
    assert result["summary"].endswith(" - IOE0000000001 (I-485)")
    assert ("Request for evidence" in result["summary"]) is (language == "en")
    assert result["description"].count("\n") == 1


def read_with_vobject(content: bytes) -> Iterable[Any]:
    return vobject.readOne(content.decode()).vevent_list  # type: ignore[no-any-return]


def test_second_library_reads_the_same_events() -> None:
    rfe, meeting, closed = read_with_vobject(
        calendar_of(case(RFE, interview(), interview(id=3, state=ItemState.CLOSED), form="I-485"))
    )
    assert rfe.dtstart.value == DUE
    assert meeting.dtstart.value == datetime(2026, 11, 6, 9, tzinfo=NEW_YORK)
    assert meeting.location.value == PLACE
    assert [entry.trigger.value for entry in meeting.valarm_list] == [timedelta(days=-1), timedelta(hours=-2)]
    assert closed.status.value == "CANCELLED"


@given(
    title=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=120),
    place=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=120).map("Room {}".format),
)
def test_portal_text_never_becomes_another_property(title: str, place: str) -> None:
    hostile = item(key="interview-1", kind=ItemKind.INTERVIEW, starts_at=date(2026, 11, 6), place=place, title=title)
    result = event(hostile)
    assert set(result) == set(event(interview(starts_at=date(2026, 11, 6))))


@pytest.mark.parametrize(
    "text",
    [
        "http://evil.example/pay",
        "[pay here](http://evil.example)",
        "<a href='http://evil.example'>pay</a>",
        "tel:+15550100123",
        "www.evil.example",
        "pay@evil.example",
        "Call me\x1b]0;x\x07 at evil.example",
    ],
)
def test_calendar_has_no_link_from_the_portal(text: str) -> None:
    tracked = interview(title=text, place=text, due_on=DUE)
    for result in events(tracked):
        shown = " ".join(str(result.get(name, "")) for name in ("summary", "description", "location"))
        assert not re.search(r"https?:|tel:|www\.|@|evil\.example|\x1b|\x07|</?a", shown), shown


def test_place_is_otherwise_unchanged() -> None:
    place = "26 Federal Plaza #7/8, St. Louis [gate_2]"
    assert event(interview(place=place))["location"] == place
