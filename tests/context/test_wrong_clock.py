"""After the clock was ahead, nothing stays silent, nothing is left alone, and only what it explains is told twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.context.wrong_clock_story import DAY, HOUR, LAST_DAY, Jump, Story, played, story
from watcher.context.wrong_clock import correct_wrong_clock
from watcher.model.account_health import ReadOutcome
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind
from watcher.store.writes.clock_correction import TIME_KINDS

PORTALS = ("uscis-api", "uscis", "ircc", "recipe", "manual")
BY_DATE = TIME_KINDS - {ChangeKind.LOOK_REMINDER}
OF_THE_CLOCK = TIME_KINDS | {ChangeKind.CLOCK_SET_BACK, ChangeKind.RECOVERED}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stories")


@cache
def control(folder: Path, portal: str) -> Story:
    """Return the story with a right clock, which is the same for all portals that the program reads."""
    if portal not in {"manual", "uscis-api"}:
        return control(folder, "uscis-api")
    return played(folder / f"control-{portal}", portal)


def check_story(jumped: Story, right: Story, jump: Jump) -> None:
    back_at, ahead = jump.back_at, jump.ahead
    news = frozenset(ChangeKind) - OF_THE_CLOCK
    assert jumped.told_from(0, news) == right.told_from(0, news), "what the portal said is told once, as ever"
    announced = [told.day for told in jumped.told if told.change.change.kind is ChangeKind.CLOCK_SET_BACK]
    assert len(announced) == int(ahead > HOUR)
    if ahead > HOUR:
        assert jumped.told_from(back_at, BY_DATE) == right.told_from(jump.at, BY_DATE), (
            "nothing is silenced or repeated"
        )
    assert longest_without_reminder(jumped) <= longest_without_reminder(right) + 7
    later_visits = [day for day in right.visits if day > back_at + 1 / 24]
    assert Counter(later_visits) <= Counter(jumped.visits), "the account is not left alone"
    late_failures = [day for day, outcome in jumped.outcomes.items() if outcome != ReadOutcome.OK and day > back_at]
    assert all(15 <= day < 18 for day in late_failures if day > back_at + 1 / 24)
    alerts = jumped.app_alerts
    assert not [alert for alert in alerts if alert.state in {AlertState.QUEUED, AlertState.FAILED}]
    held = [alert.next_attempt_at for alert in alerts if alert.state is AlertState.HELD]
    assert all(moment is not None and moment <= jumped.clock.real + 7 * DAY for moment in held)
    assert jumped.latest is not None
    assert jumped.latest <= jumped.clock.real, "what was stored is corrected on disk"


def longest_without_reminder(story: Story) -> float:
    """Return the most days between two reminders to look at the site; 0 for a portal that the program reads."""
    if not story.portal.is_manual:
        return 0.0
    looks = [told.day for told in story.told if told.change.change.kind is ChangeKind.LOOK_REMINDER]
    return max(later - day for day, later in pairwise([0.0, *looks, LAST_DAY]))


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    portal=st.sampled_from(PORTALS),
    day=st.integers(1, 40),
    steps=st.integers(1, 3),
    ahead=st.sampled_from([timedelta(minutes=50), 2 * HOUR, 3 * DAY, 300 * DAY, 365 * DAY]),
)
@example(portal="uscis-api", day=0, steps=1, ahead=365 * DAY)
@example(portal="uscis", day=15, steps=2, ahead=300 * DAY)
@example(portal="ircc", day=37, steps=1, ahead=2 * HOUR)
@example(portal="recipe", day=20, steps=3, ahead=300 * DAY)
@example(portal="manual", day=10, steps=2, ahead=300 * DAY)
def test_clock_that_is_ahead_by_any_time_at_any_moment_silences_nothing(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, portal: str, day: int, steps: int, ahead: timedelta
) -> None:
    jump = Jump(at=float(day), steps=steps, ahead=ahead)
    check_story(played(tmp_path_factory.mktemp("jumped"), portal, jump), control(folder, portal), jump)


def test_sign_ins_of_a_clock_that_was_ahead_count_for_a_day_and_no_longer(tmp_path: Path) -> None:
    with story(tmp_path, "recipe") as told:
        for minutes in range(6):
            told.step(0.01 + minutes / 1440, ahead=300 * DAY)
        allowed = 5  # max_sign_ins_per_day
        assert list(told.outcomes.values()) == [ReadOutcome.OK] * allowed + [ReadOutcome.FAILED]
        told.step(0.5)
        assert told.outcomes[0.5] == ReadOutcome.FAILED, "they count as made now"
        for day in (1.6, 2.1, 2.6):
            told.step(day)
            assert told.outcomes[day] == ReadOutcome.OK


def test_clock_that_is_set_back_is_reported_once_by_whoever_notices_it_first(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        told.step(0)
        told.step(1, ahead=300 * DAY)
        told.clock.ahead = timedelta()
        kinds = [
            [change.change.kind for change in correct_wrong_clock(told.app.context, set_back_by=300 * DAY)]
            for _ in range(2)
        ]
        assert kinds == [[ChangeKind.CLOCK_SET_BACK], []]


def test_daemon_reports_a_clock_that_is_set_back_although_nothing_stored_shows_it(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        told.step(0)
        told.clock.real += DAY
        (change,) = correct_wrong_clock(told.app.context, set_back_by=2 * HOUR)
        assert change.summary == "The computer's clock was set back by 2 hours"


def test_clock_in_the_distant_past_corrects_nothing(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        told.step(0)
        before = told.app.store.stored_times()
        told.clock.ahead = datetime(1970, 1, 1, tzinfo=UTC) - told.clock.real
        assert correct_wrong_clock(told.app.context, set_back_by=20_000 * DAY) == []
        assert told.app.store.stored_times() == before
