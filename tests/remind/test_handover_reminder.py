"""When a person is reminded to hand over: at the chosen hour, after `every`, and at most once a day."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from watcher.clock.quiet_hours import QuietHours
from watcher.portals.uscis import UscisAccount
from watcher.remind.handover_reminder import LATEST, Handovers, calm_moment, next_reminder
from watcher.settings import ChannelSettings, Settings
from watcher.settings.handover import reminder_hour

ZONE = ZoneInfo("America/New_York")
ADDED = datetime(2026, 3, 5, 15, tzinfo=UTC)  # clocks go forward on March 8
SIX = time(18)
DAY = timedelta(days=1)


def reminder(
    *, handed_over: datetime | None = None, reminded: datetime | None = None, every: timedelta = 3 * DAY, now: datetime
) -> datetime:
    past = Handovers(added_at=ADDED, handed_over_at=handed_over, reminded_at=reminded)
    return next_reminder(past, every=every, at=SIX, zone=ZONE, now=now)


def local(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%m-%d %H:%M}"


def test_first_reminder_comes_in_the_evening_after_the_account_was_added() -> None:
    assert local(reminder(now=ADDED)) == "03-06 18:00"


def test_reminder_comes_when_three_days_have_passed_without_a_handover() -> None:
    late = datetime(2026, 3, 6, 4, tzinfo=UTC)  # 23:00 of March 5
    assert local(reminder(handed_over=late, now=late)) == "03-08 18:00"


def test_unanswered_reminder_is_repeated_after_the_interval() -> None:
    handed_over, reminded = ADDED, ADDED + 3 * DAY + timedelta(hours=8)
    assert local(reminder(handed_over=handed_over, reminded=reminded, now=reminded)) == "03-11 18:00"


def test_machine_that_was_off_reminds_the_next_evening_and_not_at_night() -> None:
    night = datetime(2026, 3, 10, 3, tzinfo=UTC)
    assert local(reminder(handed_over=ADDED, now=night)) == "03-10 18:00"


@given(
    every=st.integers(1, 24 * 6).map(lambda hours: timedelta(hours=hours)),
    handovers=st.sets(st.integers(1, 60 * 24), max_size=8),
    asleep=st.tuples(st.integers(0, 60 * 24), st.integers(0, 200)),
    at=st.times().map(lambda moment: moment.replace(microsecond=0, tzinfo=None)),
)
def test_reminders_are_calm(every: timedelta, handovers: set[int], asleep: tuple[int, int], at: time) -> None:
    """Simulate sixty days of a daemon that is asked every hour, with a downtime."""
    days = max(1, -(-every // DAY))
    sent: list[datetime] = []
    handed_over: datetime | None = None
    for hour in range(60 * 24):
        now = ADDED + timedelta(hours=hour)
        handed_over = now if hour in handovers else handed_over
        past = Handovers(added_at=ADDED, handed_over_at=handed_over, reminded_at=sent[-1] if sent else None)
        if hour in range(asleep[0], sum(asleep)):
            continue
        due = next_reminder(past, every=every, at=at, zone=ZONE, now=now)
        assert due >= now
        if due == now:
            sent.append(now)
            assert calm_moment(now, at=at, zone=ZONE) == now
    for moment in sent:
        before = [now for now in (calm_moment(moment - LATEST, at=at, zone=ZONE),) if now <= moment]
        assert before, "sent only at the chosen hour, or up to two hours later"
    for one, other in pairwise(sent):
        assert (other.astimezone(ZONE).date() - one.astimezone(ZONE).date()).days >= min(days, 1)
        answered = any(one <= ADDED + timedelta(hours=hour) <= other for hour in handovers)
        assert answered or (other.astimezone(ZONE).date() - one.astimezone(ZONE).date()).days >= days


@pytest.mark.parametrize(
    ("quiet", "hour"), [("22:00-07:00", 18), ("18:00-08:00", 17), ("12:00-20:00", 11), ("08:00-07:59", 18)]
)
def test_default_hour_is_outside_of_quiet_hours(quiet: str, hour: int) -> None:
    account = UscisAccount(name="family", portal="uscis", sign_in="handover")
    channel = ChannelSettings(name="phone", url=SecretStr("json://127.0.0.1/"), quiet_hours=QuietHours.parse(quiet))
    settings = Settings(state_dir=Path(), channels={"phone": channel})
    assert reminder_hour(account, settings) == time(hour)
    chosen = account.model_copy(update={"remind_at": time(21, 30)})
    assert reminder_hour(chosen, settings) == time(21, 30)
