from datetime import date, timedelta
from itertools import pairwise

import pytest

from tests.practice.visitor import START, HandClock
from watcher.practice.site.faults import Fault, FaultBoard, Page
from watcher.practice.state.case_book import CaseBook
from watcher.practice.state.case_record import CaseRecord
from watcher.practice.story import ADJUSTMENT_OF_STATUS, MAIN_CASE, QUIET_CASE, Scene, StoryPlayer

DAY = timedelta(days=1)


class Watched:
    """The story told on a clock, looked at once a day."""

    def __init__(self) -> None:
        self.scene = Scene(cases=CaseBook(HandClock()), faults=FaultBoard())
        self.telling = StoryPlayer(ADJUSTMENT_OF_STATUS, self.scene, START)

    def on_day(self, day: int) -> CaseRecord:
        self.telling.catch_up(START + day * DAY)
        return self.scene.cases[MAIN_CASE].record

    def is_down(self) -> bool:
        return any(trouble.fault is Fault.MAINTENANCE for trouble in self.scene.faults.faults_for(Page.LIST, "/cases"))


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_every_state_lasts_at_least_six_days_and_the_last_one_too() -> None:
    days = [event.day for event in ADJUSTMENT_OF_STATUS.events] + [ADJUSTMENT_OF_STATUS.days]

    assert days[0] == 0
    assert all(later - earlier >= 6 for earlier, later in pairwise(days))


def test_daily_check_sees_every_status_in_order(watched: Watched) -> None:
    titles = [watched.on_day(day).status.title_en for day in range(ADJUSTMENT_OF_STATUS.days + 1)]

    assert [title for title, before in zip(titles, [None, *titles], strict=False) if title != before] == [
        "Case Was Received",
        "Fingerprint and Biometrics Appointment Was Scheduled",
        "Case Was Updated To Show Fingerprints Were Taken",
        "Case Is Being Actively Reviewed By USCIS",
        "Request for Initial Evidence Was Sent",
        "Response To USCIS' Request For Evidence Was Received",
        "Interview Was Scheduled",
        "Interview Was Completed And My Case Must Be Reviewed",
        "Case Was Approved",
        "Card Was Mailed To Me",
    ]


def test_story_does_not_depend_on_when_the_portal_is_asked() -> None:
    daily, late = Watched(), Watched()
    for day in range(ADJUSTMENT_OF_STATUS.days):
        daily.on_day(day)

    assert daily.on_day(ADJUSTMENT_OF_STATUS.days) == late.on_day(ADJUSTMENT_OF_STATUS.days)


def test_clock_set_back_undoes_no_event(watched: Watched) -> None:
    late = watched.on_day(200)

    assert watched.on_day(3) == late


def test_biometrics_appointment_is_moved_while_the_status_stands(watched: Watched) -> None:
    before, after = watched.on_day(27), watched.on_day(28)

    assert before.status == after.status
    assert before.items[0].starts_at != after.items[0].starts_at
    assert before.items[0].key == after.items[0].key


def test_each_appointment_takes_place_before_the_portal_says_so(watched: Watched) -> None:
    for day, index in ((48, 0), (321, 2)):
        before, after = watched.on_day(day - 1).items[index], watched.on_day(day).items[index]
        assert before.starts_at is not None
        assert before.starts_at.date() < (START + day * DAY).date()
        assert (before.answered, after.answered) == (False, True)


def test_silent_update_changes_only_the_timestamp(watched: Watched) -> None:
    before, after = watched.on_day(81), watched.on_day(82)

    assert after.updated_at == START + 82 * DAY > before.updated_at
    assert (before.status, before.items, before.notices, before.events) == (
        after.status,
        after.items,
        after.notices,
        after.events,
    )


def test_evidence_is_due_84_days_after_the_request_and_sent_in_time(watched: Watched) -> None:
    asked, answered = watched.on_day(100).items[1], watched.on_day(173).items[1]

    assert asked.due_on == date(2026, 1, 5) + 184 * DAY
    assert (asked.answered, answered.answered) == (False, True)


def test_outage_lasts_nine_days(watched: Watched) -> None:
    down = []
    for day in range(ADJUSTMENT_OF_STATUS.days):
        watched.on_day(day)
        if watched.is_down():
            down.append(day)

    assert down == list(range(124, 133))


def test_longest_pause_is_one_stall_alert(watched: Watched) -> None:
    since = [watched.on_day(day).status.on for day in range(ADJUSTMENT_OF_STATUS.days)]
    still = {on: since.count(on) for on in since}

    assert [days for days in still.values() if days > 90] == [110]


def test_second_case_does_not_change(watched: Watched) -> None:
    before = watched.scene.cases[QUIET_CASE].record
    watched.on_day(ADJUSTMENT_OF_STATUS.days)

    assert watched.scene.cases[QUIET_CASE].record == before
