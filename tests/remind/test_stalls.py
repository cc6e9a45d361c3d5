from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.remind.tracked_case import SEEN, SentReminders, case, content_of, every_day, noon
from watcher.model.case import Stage
from watcher.model.change import ChangeKind, Severity
from watcher.remind.stalls import is_stalled
from watcher.settings import StallSettings

YEAR = every_day(date(2026, 1, 1), date(2026, 12, 31))
DEFAULTS = StallSettings()


def stalled_on(stall: StallSettings, **fields: Any) -> list[str]:
    return [day for day, _ in SentReminders(stall=stall).days(case(**fields), YEAR)]


def test_a_stall_is_reported_at_the_threshold_and_at_each_repetition() -> None:
    assert stalled_on(DEFAULTS)[:4] == ["2026-04-01", "2026-05-01", "2026-05-31", "2026-06-30"]


def test_a_stall_contains_the_stage_its_start_and_its_source() -> None:
    [reminder] = SentReminders(stall=DEFAULTS).at(noon(date(2026, 4, 11)), case(form="I-485"))
    assert (reminder.change.kind, reminder.change.severity) == (ChangeKind.STALLED, Severity.IMPORTANT)
    assert (reminder.change.subject, reminder.change.old) == ("stage", None)
    assert reminder.change.new == {
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


def test_a_stage_is_counted_from_the_date_of_the_portal() -> None:
    assert stalled_on(DEFAULTS, stage_since=date(2025, 10, 10), stage_since_from_portal=True)[0] == "2026-01-08"


def test_after_months_of_downtime_one_stall_is_reported_and_the_next_a_repetition_later() -> None:
    sent, tracked = SentReminders(stall=DEFAULTS), case()
    assert len(sent.at(noon(date(2026, 9, 10)), tracked)) == 1
    assert sent.days(tracked, every_day(date(2026, 9, 10), date(2026, 10, 12))) == [
        ("2026-10-10", "stall under_review 2026-01-01 2026-10-10")
    ]


def test_the_threshold_of_the_stage_comes_before_that_of_the_form() -> None:
    stall = StallSettings.model_validate({"forms": {"I-765": "120d"}, "stages": {"biometrics": "45d"}})
    assert stalled_on(stall, form="I-765", stage=Stage.BIOMETRICS)[0] == "2026-02-15"
    assert stalled_on(stall, form="I-765")[0] == "2026-05-01"
    assert stalled_on(stall, form="I-485")[0] == "2026-04-01"


@pytest.mark.parametrize(
    "stall", [{"after": "0"}, {"forms": {"I-765": "0"}}, {"stages": {"under_review": "0"}, "forms": {"I-765": "10d"}}]
)
def test_a_threshold_of_zero_turns_the_reminder_off(stall: dict[str, object]) -> None:
    assert stalled_on(StallSettings.model_validate(stall), form="I-765") == []


@pytest.mark.parametrize("stage", list(Stage))
def test_only_a_final_stage_never_stalls(stage: Stage) -> None:
    assert bool(stalled_on(DEFAULTS, stage=stage)) is not stage.final


def test_a_refusal_is_not_final_and_stalls() -> None:
    assert stalled_on(DEFAULTS, stage=Stage.REFUSED)


def test_a_case_that_was_never_read_or_is_missing_does_not_stall() -> None:
    assert stalled_on(DEFAULTS, snapshot=None) == []
    assert stalled_on(DEFAULTS, missing_reads=1) == []


def test_a_return_to_the_same_stage_is_a_new_stall() -> None:
    sent = SentReminders(stall=DEFAULTS)
    sent.days(case(), every_day(date(2026, 1, 1), date(2026, 4, 20)))
    changed = case(stage=Stage.INTERVIEW, stage_since=date(2026, 4, 21))
    assert sent.days(changed, every_day(date(2026, 4, 21), date(2026, 5, 31))) == []
    same_stage = case(stage_since=date(2026, 6, 1))
    assert [day for day, _ in sent.days(same_stage, every_day(date(2026, 6, 1), date(2026, 8, 31)))] == ["2026-08-30"]


def test_a_better_start_date_is_not_a_new_stall() -> None:
    sent = SentReminders(stall=DEFAULTS)
    sent.at(noon(date(2026, 4, 1)), case())
    better = case(stage_since=date(2025, 12, 20), stage_since_from_portal=True)
    assert sent.days(better, every_day(date(2026, 4, 2), date(2026, 4, 30))) == []


def test_a_silent_update_is_mentioned_and_does_not_end_a_stall() -> None:
    updated_at = datetime(2026, 3, 2, 1, tzinfo=UTC)  # still the 1st in New York
    [reminder] = SentReminders(stall=DEFAULTS).at(noon(date(2026, 4, 1)), case(silent_update_at=updated_at))
    assert content_of(reminder)["touched_on"] == "2026-03-01"


def test_a_silent_update_before_this_stage_is_not_mentioned() -> None:
    [reminder] = SentReminders(stall=DEFAULTS).at(
        noon(date(2026, 4, 1)), case(silent_update_at=datetime(2025, 12, 24, tzinfo=UTC))
    )
    assert content_of(reminder)["touched_on"] is None


def test_a_published_processing_time_gives_the_first_day_for_an_inquiry() -> None:
    stall = StallSettings.model_validate({"published": {"I-765": 200}})
    tracked = case(form="I-765", submitted_on=date(2025, 11, 1))
    [reminder] = SentReminders(stall=stall).at(noon(date(2026, 4, 1)), tracked)
    # The 201st day after the 1st of November is the first one outside the published time.
    assert (content_of(reminder)["published_days"], content_of(reminder)["inquiry_from"]) == (200, "2026-05-21")


def test_without_the_filing_date_there_is_no_day_for_an_inquiry() -> None:
    stall = StallSettings.model_validate({"published": {"I-765": "200d"}})
    [reminder] = SentReminders(stall=stall).at(noon(date(2026, 4, 1)), case(form="I-765"))
    assert (content_of(reminder)["published_days"], content_of(reminder)["inquiry_from"]) == (200, None)


def test_is_stalled_does_not_depend_on_sent_reminders() -> None:
    zone = SentReminders().zone
    assert not is_stalled(case(), stall=DEFAULTS, zone=zone, now=noon(date(2026, 3, 31)))
    assert is_stalled(case(), stall=DEFAULTS, zone=zone, now=noon(date(2026, 4, 1)))
    assert not is_stalled(case(stage=Stage.APPROVED), stall=DEFAULTS, zone=zone, now=noon(date(2026, 12, 1)))


def test_a_clock_that_jumps_back_repeats_nothing() -> None:
    sent, tracked = SentReminders(stall=DEFAULTS), case()
    assert sent.at(noon(date(2026, 8, 1)), tracked)
    assert sent.days(tracked, every_day(date(2026, 4, 1), date(2026, 8, 30))) == []


@given(st.lists(st.integers(0, 1500), unique=True).map(sorted), st.integers(1, 200), st.integers(1, 60))
def test_over_the_years_no_stall_is_early_or_sooner_than_its_repetition(
    active_days: list[int], after: int, repeat: int
) -> None:
    sent = SentReminders(stall=StallSettings(after=timedelta(days=after), repeat=timedelta(days=repeat)))
    reported = [day for day in active_days if sent.at(SEEN + timedelta(days=day), case())]
    expected: list[int] = []
    for day in active_days:
        if day >= after and (not expected or day - expected[-1] >= repeat):
            expected.append(day)
    assert reported == expected
