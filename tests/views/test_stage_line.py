from datetime import UTC, datetime

import pytest

from watcher.model.case import ItemKind, ItemState, PendingItem, Snapshot, Stage
from watcher.model.ledger import TrackedCase, TrackedItem
from watcher.views.stage_line import stage_line

NOW = datetime(2026, 7, 9, tzinfo=UTC)


def case(form: str | None, stage: Stage, *items: TrackedItem) -> TrackedCase:
    snapshot = Snapshot(case_number="IOE0900000001", form=form, stage=stage)
    return TrackedCase(
        account="family",
        case_number="IOE0900000001",
        snapshot=snapshot,
        first_seen_at=NOW,
        last_read_at=NOW,
        items=items,
    )


def line(tracked: TrackedCase, *stages: Stage) -> dict[str, str]:
    return {step.step.value: step.time.value for step in stage_line(tracked, stages)}


def test_steps_ahead_are_unknown() -> None:
    assert line(case("I-485", Stage.UNDER_REVIEW), Stage.BIOMETRICS) == {
        "received": "past",
        "biometrics": "past",
        "review": "present",
        "interview": "unknown",
        "decision": "unknown",
        "card": "unknown",
    }


def test_step_behind_is_past_only_if_something_recorded_says_so() -> None:
    assert line(case("I-485", Stage.APPROVED), Stage.UNDER_REVIEW)["interview"] == "unknown"
    assert line(case("I-485", Stage.APPROVED), Stage.INTERVIEW)["interview"] == "past"


def test_appointment_that_was_held_is_a_record() -> None:
    held = TrackedItem(
        id=1,
        account="family",
        case_number="IOE0900000001",
        item=PendingItem(key="b", kind=ItemKind.BIOMETRICS, title="Biometrics"),
        state=ItemState.ANSWERED,
        first_seen_at=NOW,
    )
    assert line(case("I-485", Stage.UNDER_REVIEW, held))["biometrics"] == "past"


def test_form_without_interview_or_card_has_no_such_step() -> None:
    assert list(line(case("I-130", Stage.RECEIVED))) == ["received", "review", "decision"]


@pytest.mark.parametrize("stage", [Stage.DENIED, Stage.REJECTED, Stage.WITHDRAWN])
def test_case_that_ended_without_approval_leads_to_no_card(stage: Stage) -> None:
    steps = line(case("I-765", stage))
    assert "card" not in steps
    assert steps["decision"] == "present"


def test_issued_card_means_that_there_was_a_decision() -> None:
    steps = line(case(None, Stage.ISSUED))
    assert steps == {"received": "past", "review": "past", "decision": "past", "card": "present"}


def test_stage_that_is_not_recognized_is_no_step() -> None:
    assert "present" not in line(case("I-485", Stage.UNKNOWN)).values()


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_at_most_one_present_step(stage: Stage) -> None:
    times = [step.time.value for step in stage_line(case("I-485", stage), list(Stage))]
    assert times.count("present") == (0 if stage is Stage.UNKNOWN else 1)
