"""`watcher done`, `reopen`, `due`, run for real on an item that the portal made."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.cli.workspace import RECEIPT, Bench
from tests.doubles.case_status_api import case_status
from tests.support.watching import Watching
from watcher.model.alert import AlertState
from watcher.model.ledger import DueSource


@pytest.fixture
def asked(world: Bench) -> Bench:
    """The case has an open request for evidence, item 1; the aunt is told in two hours."""
    world.configure(extra=f'[channels.aunt]\nurl = "json://{world.phone.host}/aunt"\nescalate_after = "2h"\n')
    world.check()
    world.ask_for_evidence()
    assert [change.change.kind for change in world.check().changes] == ["rfe_received", "stage_changed"]
    return world


def states(world: Bench) -> list[str]:
    with world.app() as app:
        (case,) = app.store.tracked_cases()
    return [item.state.value for item in case.items]


def test_an_item_that_is_done_is_pending_no_more_and_not_escalated(asked: Bench) -> None:
    said = asked.run("done", "1")
    assert "no more reminders" in said.out
    assert states(asked) == ["done"]
    assert asked.run("pending", "--json").json == {"pending": []}
    with asked.app() as app:
        assert app.store.outbox.counts()[AlertState.HELD] == 0


def test_reopening_takes_that_back(asked: Bench) -> None:
    with asked.app() as app:
        app.store.ledger.set_done(1)
    asked.run("reopen", "1")
    assert states(asked) == ["open"]


def test_what_the_portal_calls_answered_cannot_be_reopened(asked: Bench) -> None:
    asked.api.cases[RECEIPT] = case_status(
        RECEIPT, "Response To USCIS' Request For Evidence Was Received", modifiedDate="09-08-2023 10:00:00"
    )
    asked.check()
    assert states(asked) == ["answered"]
    assert "answered already" in asked.run("done", "1").out
    said = asked.run("reopen", "1", expect=(1,))
    assert "only the portal" in said.err
    assert states(asked) == ["answered"]


def test_the_date_on_the_letter_counts_from_then_on(asked: Bench) -> None:
    day = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    asked.run("due", "1", day)
    with asked.app() as app:
        (item,) = app.store.items()
    assert item.due == (date.fromisoformat(day), DueSource.LETTER)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-02-30", "no day of the calendar"),
        ("30.11.2026", "no day of the calendar"),
        ("20261130", "no day of the calendar"),
        ("2026-W01-1", "no day of the calendar"),
        ("tomorrow", "no day of the calendar"),
        ("0206-11-30", "more than ten years away"),
        ("2999-01-01", "more than ten years away"),
    ],
)
def test_an_impossible_date_is_refused_clearly(watching: Watching, written: str, reason: str) -> None:
    said = watching.run("due", "1", written, expect=(2,))
    assert reason in said.err


@pytest.mark.parametrize("arguments", [("done", "9"), ("reopen", "9"), ("due", "9", "2026-12-01"), ("done", "x")])
def test_an_unknown_item_is_wrong_usage(watching: Watching, arguments: tuple[str, ...]) -> None:
    watching.write()
    said = watching.run(*arguments, expect=(2,))
    assert "ITEM" in said.err
