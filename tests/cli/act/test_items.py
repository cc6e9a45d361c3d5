"""`watcher done`, `reopen`, and `due` as real commands, on an item from the portal."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.doubles.case_status_api import case_status
from tests.support.workspace import Workspace
from watcher.model.alert import AlertState
from watcher.model.ledger import DueSource


@pytest.fixture
def evidence_workspace(workspace: ApiWorkspace) -> ApiWorkspace:
    """Return a workspace with an open request for evidence, item 1. The channel `aunt` is alerted after two hours."""
    workspace.configure(extra=f'[channels.aunt]\nurl = "json://{workspace.phone.host}/aunt"\nescalate_after = "2h"\n')
    workspace.check()
    workspace.ask_for_evidence()
    assert [change.change.kind for change in workspace.check().changes] == ["rfe_received", "stage_changed"]
    return workspace


def states(workspace: ApiWorkspace) -> list[str]:
    with workspace.app() as app:
        (case,) = app.store.tracked_cases()
    return [item.state.value for item in case.items]


def test_done_item_is_neither_pending_nor_escalated(evidence_workspace: ApiWorkspace) -> None:
    result = evidence_workspace.run("done", "1")
    assert "no more reminders" in result.out
    assert states(evidence_workspace) == ["done"]
    assert evidence_workspace.run("pending", "--json").json == {"pending": []}
    with evidence_workspace.app() as app:
        assert app.store.outbox.counts()[AlertState.HELD] == 0


def test_reopen_undoes_done(evidence_workspace: ApiWorkspace) -> None:
    with evidence_workspace.app() as app:
        app.store.ledger.set_done(1)
    evidence_workspace.run("reopen", "1")
    assert states(evidence_workspace) == ["open"]


def test_item_answered_according_to_the_portal_cannot_be_reopened(evidence_workspace: ApiWorkspace) -> None:
    evidence_workspace.api.cases[RECEIPT] = case_status(
        RECEIPT, "Response To USCIS' Request For Evidence Was Received", modifiedDate="09-08-2023 10:00:00"
    )
    evidence_workspace.check()
    assert states(evidence_workspace) == ["answered"]
    assert "was already answered" in evidence_workspace.run("done", "1").out
    result = evidence_workspace.run("reopen", "1", expect=(1,))
    assert "cannot be reopened here" in result.err
    assert states(evidence_workspace) == ["answered"]


def test_due_date_from_the_letter_is_used(evidence_workspace: ApiWorkspace) -> None:
    day = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    evidence_workspace.run("due", "1", day)
    with evidence_workspace.app() as app:
        (item,) = app.store.items()
    assert item.due == (date.fromisoformat(day), DueSource.LETTER)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2026-02-30", "is not a date"),
        ("30.11.2026", "is not a date"),
        ("20261130", "is not a date"),
        ("2026-W01-1", "is not a date"),
        ("tomorrow", "is not a date"),
        ("0206-11-30", "more than ten years away"),
        ("2999-01-01", "more than ten years away"),
    ],
)
def test_impossible_date_is_refused_with_the_reason(empty_workspace: Workspace, day: str, reason: str) -> None:
    result = empty_workspace.run("due", "1", day, expect=(2,))
    assert reason in result.err


@pytest.mark.parametrize("arguments", [("done", "9"), ("reopen", "9"), ("due", "9", "2026-12-01"), ("done", "rfe")])
def test_unknown_item_is_wrong_usage(empty_workspace: Workspace, arguments: tuple[str, ...]) -> None:
    empty_workspace.write()
    result = empty_workspace.run(*arguments, expect=(2,))
    assert "ITEM" in result.err
    assert "`watcher pending` lists them." in result.err
