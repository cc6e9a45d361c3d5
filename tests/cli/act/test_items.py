"""`watcher done`, `reopen`, `due`, run for real on an item that the portal made."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.doubles.case_status_api import case_status
from tests.support.workspace import Workspace
from watcher.model.alert import AlertState
from watcher.model.ledger import DueSource


@pytest.fixture
def asked(workspace: ApiWorkspace) -> ApiWorkspace:
    """The case has an open request for evidence, item 1; the aunt is told in two hours."""
    workspace.configure(extra=f'[channels.aunt]\nurl = "json://{workspace.phone.host}/aunt"\nescalate_after = "2h"\n')
    workspace.check()
    workspace.ask_for_evidence()
    assert [change.change.kind for change in workspace.check().changes] == ["rfe_received", "stage_changed"]
    return workspace


def states(workspace: ApiWorkspace) -> list[str]:
    with workspace.app() as app:
        (case,) = app.store.tracked_cases()
    return [item.state.value for item in case.items]


def test_an_item_that_is_done_is_pending_no_more_and_not_escalated(asked: ApiWorkspace) -> None:
    said = asked.run("done", "1")
    assert "no more reminders" in said.out
    assert states(asked) == ["done"]
    assert asked.run("pending", "--json").json == {"pending": []}
    with asked.app() as app:
        assert app.store.outbox.counts()[AlertState.HELD] == 0


def test_reopening_takes_that_back(asked: ApiWorkspace) -> None:
    with asked.app() as app:
        app.store.ledger.set_done(1)
    asked.run("reopen", "1")
    assert states(asked) == ["open"]


def test_what_the_portal_calls_answered_cannot_be_reopened(asked: ApiWorkspace) -> None:
    asked.api.cases[RECEIPT] = case_status(
        RECEIPT, "Response To USCIS' Request For Evidence Was Received", modifiedDate="09-08-2023 10:00:00"
    )
    asked.check()
    assert states(asked) == ["answered"]
    assert "answered already" in asked.run("done", "1").out
    said = asked.run("reopen", "1", expect=(1,))
    assert "only the portal" in said.err
    assert states(asked) == ["answered"]


def test_the_date_on_the_letter_counts_from_then_on(asked: ApiWorkspace) -> None:
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
def test_an_impossible_date_is_refused_clearly(empty_workspace: Workspace, written: str, reason: str) -> None:
    said = empty_workspace.run("due", "1", written, expect=(2,))
    assert reason in said.err


@pytest.mark.parametrize("arguments", [("done", "9"), ("reopen", "9"), ("due", "9", "2026-12-01"), ("done", "x")])
def test_an_unknown_item_is_wrong_usage(empty_workspace: Workspace, arguments: tuple[str, ...]) -> None:
    empty_workspace.write()
    said = empty_workspace.run(*arguments, expect=(2,))
    assert "ITEM" in said.err
