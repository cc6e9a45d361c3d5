"""The next reminder is due exactly when the rules first find one, whatever the zones and clock changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.remind.tracked_case import NEW_YORK, SentReminders, case, item, noon
from watcher.model.account_health import AccountHealth, AccountState, check_blindness
from watcher.model.case import ItemKind, Stage
from watcher.model.change import ChangeKind
from watcher.model.ledger import TrackedCase
from watcher.model.overdue_check import is_overdue
from watcher.model.reminder import SentReminder
from watcher.remind.due_now import due_reminders, is_after_morning
from watcher.remind.next_reminder import next_blindness, next_reminder
from watcher.settings import (
    AccountSettings,
    AppointmentSettings,
    DeadlineSettings,
    ScheduleSettings,
    Settings,
    StallSettings,
)

HOUR, DAY, STEP = timedelta(hours=1), timedelta(days=1), timedelta(minutes=10)
CLOCK_CHANGES = {
    "UTC": [],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "America/St_Johns": [date(2026, 3, 8), date(2026, 11, 1)],
    "America/Havana": [date(2026, 3, 8), date(2026, 11, 1)],  # there is no midnight, or there are two
    "America/Santiago": [date(2026, 9, 6), date(2026, 4, 5)],  # there is no midnight, or eleven comes twice before it
    "Africa/Cairo": [date(2026, 4, 24), date(2026, 10, 30)],
    "Asia/Kathmandu": [],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],  # by half an hour
    "Pacific/Kiritimati": [],
    "Pacific/Chatham": [date(2026, 4, 5), date(2026, 9, 27)],
    "Pacific/Pago_Pago": [],
}
"""Days on which clocks change, by zone."""


def configured(zone: str, office: str) -> Settings:
    return Settings(
        state_dir=Path("state"),
        timezone=ZoneInfo(zone),
        schedule=ScheduleSettings(blind_after=DAY),
        stall=StallSettings(after=timedelta(days=30), repeat=timedelta(days=10)),
        deadlines=DeadlineSettings(remind=(7 * DAY, DAY, 6 * HOUR)),
        appointments=AppointmentSettings(remind=(7 * DAY, DAY, 2 * HOUR, timedelta(minutes=20))),
        accounts={"family": AccountSettings(name="family", portal="uscis", timezone=ZoneInfo(office))},
    )


def is_due(cases: Sequence[TrackedCase], setup: Settings, sent: Sequence[SentReminder], at: datetime) -> bool:
    """Return whether the daemon would record a reminder at this moment."""
    return bool(
        due_reminders(
            cases,
            stall=setup.stall,
            deadlines=setup.deadlines,
            appointments=setup.appointments,
            zone=setup.timezone,
            office_zone=setup.office_zone,
            now=at,
            sent=sent,
            include_days=is_after_morning(at, setup.timezone),
        )
    )


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())


@st.composite
def zones_and_moments(draw: st.DrawFn) -> tuple[str, str, datetime]:
    """Return the zones of user and office, and a moment, often near a change of the clocks in one of them."""
    zones = draw(st.tuples(st.sampled_from(sorted(CLOCK_CHANGES)), st.sampled_from(sorted(CLOCK_CHANGES))))
    any_day = st.dates(date(2026, 1, 1), date(2026, 12, 31))
    changes = [day for zone in zones for day in CLOCK_CHANGES[zone]]
    day = draw(st.one_of(any_day, st.sampled_from(changes)) if changes else any_day)
    return *zones, midnight(day).replace(tzinfo=UTC) + draw(st.integers(-36 * 6, 24 * 6)) * STEP


@st.composite
def tracked_cases(draw: st.DrawFn, now: datetime) -> list[TrackedCase]:
    def day(earliest: int, latest: int) -> date:
        return (now + timedelta(days=draw(st.integers(earliest, latest)))).date()

    def appointment() -> date:
        wall = midnight(now.date()) + STEP * draw(st.integers(-150, 450))
        return draw(st.sampled_from([wall, wall.replace(tzinfo=UTC), wall.date()]))

    items = []
    for number in range(draw(st.integers(0, 2))):
        known_at = now - timedelta(hours=draw(st.integers(0, 300)))
        if draw(st.booleans()):
            items.append(item(key=f"rfe-{number}", due_on=day(-3, 10), first_seen_at=known_at))
        else:
            kind = ItemKind.INTERVIEW
            items.append(item(key=f"visit-{number}", kind=kind, starts_at=appointment(), first_seen_at=known_at))
        if draw(st.booleans()):
            items[-1] = replace(items[-1], letter_due_on=day(-3, 10))
    since = day(-42, -28)
    return [case(*items, stage_since=since)]


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[TrackedCase], Settings, list[SentReminder], datetime]:
    """Return cases whose reminders until some time ago were sent."""
    zone, office, now = draw(zones_and_moments())
    cases, setup = draw(tracked_cases(now)), configured(zone, office)
    past = SentReminders(zone=setup.timezone, office_zone=setup.office_zone("family"), stall=setup.stall)
    past.deadlines, past.appointments = setup.deadlines, setup.appointments
    for hours in draw(st.lists(st.integers(0, 24), max_size=2)):
        past.at(now - timedelta(hours=hours), *cases)
    return cases, setup, sorted(past.sent, key=str), now


@settings(max_examples=150, deadline=None)
@given(situations())
def test_next_reminder_is_due_when_the_rules_first_find_one(
    situation: tuple[list[TrackedCase], Settings, list[SentReminder], datetime],
) -> None:
    cases, setup, sent, now = situation
    until = now + DAY
    found = next_reminder(cases, settings=setup, sent=sent, now=now, until=until)
    steps = [now + number * STEP for number in range(int(DAY / STEP) + 1)]
    first = next((at for at in steps if is_due(cases, setup, sent, at)), None)
    if found is None:
        assert first is None
        return
    assert now <= found <= until
    assert is_due(cases, setup, sent, found)
    assert first is None or found <= first < found + STEP


def test_days_are_counted_in_the_morning() -> None:
    """The request is due on July 9; its last reminder, "1d", is reached at midnight."""
    setup, cases = configured("America/New_York", "America/New_York"), [case(item(due_on=date(2026, 7, 9)))]
    cases = [replace(cases[0], stage_since=date(2026, 7, 1))]
    past = SentReminders()
    past.at(noon(date(2026, 7, 2)), *cases)
    now = noon(date(2026, 7, 7))
    found = next_reminder(cases, settings=setup, sent=list(past.sent), now=now, until=now + DAY)
    assert found == datetime(2026, 7, 8, 8, tzinfo=NEW_YORK)


def test_appointment_that_is_over_by_the_horizon_has_its_reminder_in_hours() -> None:
    setup = configured("America/New_York", "America/New_York")
    at_five = midnight(date(2026, 7, 9)) + 5 * HOUR
    visit = item(kind=ItemKind.INTERVIEW, starts_at=at_five, first_seen_at=noon(date(2026, 6, 30)))
    cases = [case(visit, stage_since=date(2026, 7, 1))]
    past = SentReminders()
    now = noon(date(2026, 7, 8))
    past.at(now, *cases)
    found = next_reminder(cases, settings=setup, sent=list(past.sent), now=now, until=now + DAY)
    assert found == datetime(2026, 7, 9, 3, tzinfo=NEW_YORK)


def test_day_that_begins_at_the_office_in_the_afternoon_is_not_left_until_the_morning() -> None:
    setup = configured("America/New_York", "Asia/Kathmandu")
    cases = [case(item(due_on=date(2026, 7, 9)), stage_since=date(2026, 7, 1))]
    past = SentReminders(office_zone=ZoneInfo("Asia/Kathmandu"))
    now = noon(date(2026, 7, 7))
    past.at(now - DAY, *cases)
    found = next_reminder(cases, settings=setup, sent=list(past.sent), now=now, until=now + DAY)
    assert found == datetime(2026, 7, 8, tzinfo=ZoneInfo("Asia/Kathmandu"))


def test_reminder_that_was_not_sent_yet_is_due_now() -> None:
    setup, now = configured("UTC", "UTC"), datetime(2026, 7, 9, 12, 34, tzinfo=UTC)
    cases = [case(stage_since=date(2026, 1, 1))]
    assert next_reminder(cases, settings=setup, sent=[], now=now, until=now + DAY) == now


@pytest.mark.parametrize("stage", [Stage.APPROVED, Stage.DENIED])
def test_finished_case_has_no_next_reminder(stage: Stage) -> None:
    setup, now = configured("UTC", "UTC"), datetime(2026, 7, 9, tzinfo=UTC)
    cases = [case(stage=stage, stage_since=date(2026, 1, 1))]
    assert next_reminder(cases, settings=setup, sent=[], now=now, until=now + DAY) is None


AT = datetime(2026, 7, 9, 12, tzinfo=UTC)
MINUTES = st.one_of(st.none(), st.integers(-3000, 3000).map(lambda minutes: AT + timedelta(minutes=minutes)))
HEALTHS = st.builds(
    AccountHealth,
    state=st.sampled_from(AccountState),
    first_seen_at=st.just(AT - 10 * DAY),
    last_read_at=st.one_of(st.none(), st.integers(0, 3000).map(lambda minutes: AT - timedelta(minutes=minutes))),
    failing_since=st.one_of(st.none(), st.just(AT - HOUR)),
    notified=st.sampled_from([frozenset(), frozenset({ChangeKind.BLIND})]),
)


@settings(deadline=None)
@given(st.lists(st.tuples(HEALTHS, MINUTES), max_size=3))
@example([(AccountHealth(first_seen_at=AT - 10 * DAY, last_read_at=AT - DAY), AT - 12 * HOUR)])
def test_next_blindness_is_due_when_the_rule_first_finds_it(
    accounts: list[tuple[AccountHealth, datetime | None]],
) -> None:
    def is_blind(at: datetime) -> bool:
        return any(
            check_blindness(health, now=at, blind_after=DAY, hangs=is_overdue(planned, now=at, blind_after=DAY))[1]
            for health, planned in accounts
        )

    found = next_blindness(accounts, blind_after=DAY, now=AT, until=AT + DAY)
    if found is None:
        assert not is_blind(AT + DAY)
        return
    assert AT <= found <= AT + DAY
    assert is_blind(found)
    assert found == AT or not is_blind(found - timedelta(seconds=1))
