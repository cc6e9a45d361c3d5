from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.remind.tracked_case import SEEN, Memory, case, every_day, noon, said
from watcher.model.case import Stage
from watcher.model.change import ChangeKind, Severity
from watcher.remind.stalls import is_stalled
from watcher.settings import StallSettings

YEAR = every_day(date(2026, 1, 1), date(2026, 12, 31))
USUAL = StallSettings()


def stalled_on(stall: StallSettings, **more: Any) -> list[str]:
    return [day for day, _ in Memory(stall=stall).days(case(**more), YEAR)]


def test_a_stage_that_stands_is_told_at_its_threshold_and_again_at_each_repetition() -> None:
    assert stalled_on(USUAL)[:4] == ["2026-04-01", "2026-05-01", "2026-05-31", "2026-06-30"]


def test_a_stall_says_what_stands_since_when_and_how_we_know() -> None:
    [told] = Memory(stall=USUAL).at(noon(date(2026, 4, 11)), case(form="I-485"))
    assert (told.change.kind, told.change.severity) == (ChangeKind.STALLED, Severity.IMPORTANT)
    assert (told.change.subject, told.change.old) == ("stage", None)
    assert told.change.new == {
        "stage": "under_review",
        "since": "2026-01-01",
        "since_told": False,
        "days": 100,
        "threshold_days": 90,
        "touched_on": None,
        "form": "I-485",
        "published_days": None,
        "inquiry_from": None,
    }


def test_a_stage_counts_from_the_portals_own_date() -> None:
    assert stalled_on(USUAL, stage_since=date(2025, 10, 10), stage_since_from_portal=True)[0] == "2026-01-08"


def test_after_a_sleep_of_months_one_stall_is_told_and_the_next_a_repetition_later() -> None:
    memory, standing = Memory(stall=USUAL), case()
    assert len(memory.at(noon(date(2026, 9, 10)), standing)) == 1
    assert memory.days(standing, every_day(date(2026, 9, 10), date(2026, 10, 12))) == [
        ("2026-10-10", "stall under_review 2026-01-01 2026-10-10")
    ]


def test_the_stage_counts_before_the_form_and_the_form_before_the_default() -> None:
    stall = StallSettings.model_validate({"forms": {"I-765": "120d"}, "stages": {"biometrics": "45d"}})
    assert stalled_on(stall, form="I-765", stage=Stage.BIOMETRICS)[0] == "2026-02-15"
    assert stalled_on(stall, form="I-765")[0] == "2026-05-01"
    assert stalled_on(stall, form="I-485")[0] == "2026-04-01"


@pytest.mark.parametrize(
    "stall", [{"after": "0"}, {"forms": {"I-765": "0"}}, {"stages": {"under_review": "0"}, "forms": {"I-765": "10d"}}]
)
def test_a_threshold_of_nothing_turns_the_alert_off(stall: dict[str, object]) -> None:
    assert stalled_on(StallSettings.model_validate(stall), form="I-765") == []


@pytest.mark.parametrize("stage", list(Stage))
def test_only_a_final_stage_never_stalls(stage: Stage) -> None:
    assert bool(stalled_on(USUAL, stage=stage)) is not stage.final


def test_a_refusal_is_not_final_and_stalls() -> None:
    assert stalled_on(USUAL, stage=Stage.REFUSED)


def test_a_case_that_was_never_read_or_that_the_last_read_did_not_find_does_not_stall() -> None:
    assert stalled_on(USUAL, snapshot=None) == []
    assert stalled_on(USUAL, missing_reads=1) == []


def test_movement_ends_a_stall_and_a_stay_in_the_same_stage_later_is_a_new_one() -> None:
    memory = Memory(stall=USUAL)
    memory.days(case(), every_day(date(2026, 1, 1), date(2026, 4, 20)))
    moved = case(stage=Stage.INTERVIEW, stage_since=date(2026, 4, 21))
    assert memory.days(moved, every_day(date(2026, 4, 21), date(2026, 5, 31))) == []
    back = case(stage_since=date(2026, 6, 1))
    assert [day for day, _ in memory.days(back, every_day(date(2026, 6, 1), date(2026, 8, 31)))] == ["2026-08-30"]


def test_a_better_date_for_the_same_standing_is_no_new_stall() -> None:
    memory = Memory(stall=USUAL)
    memory.at(noon(date(2026, 4, 1)), case())
    better = case(stage_since=date(2025, 12, 20), stage_since_from_portal=True)
    assert memory.days(better, every_day(date(2026, 4, 2), date(2026, 4, 30))) == []


def test_a_silent_update_is_named_and_does_not_end_a_stall() -> None:
    touched_at = datetime(2026, 3, 2, 1, tzinfo=UTC)  # still the 1st in New York
    [told] = Memory(stall=USUAL).at(noon(date(2026, 4, 1)), case(silent_update_at=touched_at))
    assert said(told)["touched_on"] == "2026-03-01"


def test_a_silent_update_before_this_stage_is_not_named() -> None:
    [told] = Memory(stall=USUAL).at(noon(date(2026, 4, 1)), case(silent_update_at=datetime(2025, 12, 24, tzinfo=UTC)))
    assert said(told)["touched_on"] is None


def test_a_published_processing_time_says_from_when_on_an_inquiry_may_be_made() -> None:
    stall = StallSettings.model_validate({"published": {"I-765": 200}})
    standing = case(form="I-765", submitted_on=date(2025, 11, 1))
    [told] = Memory(stall=stall).at(noon(date(2026, 4, 1)), standing)
    # The 201st day after the 1st of November is the first one outside the published time.
    assert (said(told)["published_days"], said(told)["inquiry_from"]) == (200, "2026-05-21")


def test_without_the_day_of_filing_the_published_time_is_said_and_no_day_is_made_up() -> None:
    stall = StallSettings.model_validate({"published": {"I-765": "200d"}})
    [told] = Memory(stall=stall).at(noon(date(2026, 4, 1)), case(form="I-765"))
    assert (said(told)["published_days"], said(told)["inquiry_from"]) == (200, None)


def test_whether_a_case_is_stalled_does_not_depend_on_what_was_told() -> None:
    zone = Memory().zone
    assert not is_stalled(case(), stall=USUAL, zone=zone, now=noon(date(2026, 3, 31)))
    assert is_stalled(case(), stall=USUAL, zone=zone, now=noon(date(2026, 4, 1)))
    assert not is_stalled(case(stage=Stage.APPROVED), stall=USUAL, zone=zone, now=noon(date(2026, 12, 1)))


def test_a_clock_that_jumps_back_tells_nothing_again() -> None:
    memory, standing = Memory(stall=USUAL), case()
    assert memory.at(noon(date(2026, 8, 1)), standing)
    assert memory.days(standing, every_day(date(2026, 4, 1), date(2026, 8, 30))) == []


@given(st.lists(st.integers(0, 1500), unique=True).map(sorted), st.integers(1, 200), st.integers(1, 60))
def test_over_the_years_no_stall_is_early_and_none_comes_sooner_than_its_repetition(
    wakings: list[int], after: int, repeat: int
) -> None:
    memory = Memory(stall=StallSettings(after=timedelta(days=after), repeat=timedelta(days=repeat)))
    told = [day for day in wakings if memory.at(SEEN + timedelta(days=day), case())]
    expected: list[int] = []
    for day in wakings:
        if day >= after and (not expected or day - expected[-1] >= repeat):
            expected.append(day)
    assert told == expected
