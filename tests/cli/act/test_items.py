"""`watcher done`, `reopen`, and `due` as real commands, on an item from the portal."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.api_workspace import RECEIPT, ApiWorkspace
from tests.cli.office_workspace import OfficeWorkspace
from tests.cli.pseudo_terminal import on_terminal
from tests.doubles.case_status_api import case_status
from tests.support.workspace import Workspace
from watcher.model.alert import AlertState
from watcher.model.case import ItemKind, PendingItem, Snapshot
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


class TestDueDateBesideTheAgencys:
    """`due` with a later date than one that is known."""

    STATED = datetime.now(UTC).date() + timedelta(days=30)
    LATER = (STATED + timedelta(days=1)).isoformat()

    @pytest.fixture
    def office(self, tmp_path: Path) -> OfficeWorkspace:
        """Return a workspace with a request that USCIS shows a date for, item 1, and one with an estimate, item 2."""
        office = OfficeWorkspace(folder=tmp_path)
        office.configure()
        stated = PendingItem(key="a", kind=ItemKind.RFE, title="Evidence", due_on=self.STATED)
        estimated = PendingItem(key="b", kind=ItemKind.RFE, title="Evidence", due_by_estimate=self.STATED)
        office.check(
            Snapshot(case_number="IOE0900000001", pending=(stated,)),
            Snapshot(case_number="IOE0900000002", pending=(estimated,)),
        )
        return office

    def due(self, office: OfficeWorkspace, number: int) -> tuple[date, DueSource] | None:
        with office.app() as app:
            return app.store.items()[number - 1].due

    def test_later_date_needs_yes_without_a_terminal(self, office: OfficeWorkspace) -> None:
        result = office.run("due", "1", self.LATER, expect=(2,))
        assert f"USCIS shows an earlier date: {self.STATED}." in result.err
        assert "add --yes. Nothing was changed." in result.err
        assert self.due(office, 1) == (self.STATED, DueSource.PORTAL)
        office.run("due", "1", self.LATER, "--yes")
        assert self.due(office, 1) == (date.fromisoformat(self.LATER), DueSource.LETTER)

    @pytest.mark.parametrize(
        ("answer", "source"), [("n", DueSource.PORTAL), ("", DueSource.PORTAL), ("y", DueSource.LETTER)]
    )
    def test_later_date_is_asked_about_on_a_terminal(
        self, office: OfficeWorkspace, answer: str, source: DueSource
    ) -> None:
        output = on_terminal(office, "due", "1", self.LATER, answer=answer)
        assert f"Does your letter say {self.LATER}? (y/N):" in output
        due = self.due(office, 1)
        assert due is not None
        assert due[1] is source

    def test_same_or_earlier_date_is_not_asked_about(self, office: OfficeWorkspace) -> None:
        assert office.run("due", "1", self.STATED.isoformat()).err == ""
        assert office.run("due", "1", (self.STATED - timedelta(days=1)).isoformat()).err == ""

    def test_date_after_the_latest_possible_one_is_entered_with_a_warning(self, office: OfficeWorkspace) -> None:
        much_later = self.STATED + timedelta(days=10)
        result = office.run("due", "2", much_later.isoformat())
        assert f"later than the latest possible date, {self.STATED} (estimate)" in result.err
        assert self.due(office, 2) == (much_later, DueSource.LETTER)


def test_alert_about_a_request_has_the_command_for_the_date_on_its_letter(tmp_path: Path) -> None:
    office = OfficeWorkspace(folder=tmp_path)
    office.configure()
    office.check(*(Snapshot(case_number=f"IOE090000000{number}", status="Case Was Received") for number in (1, 2)))
    requested = Snapshot(case_number="IOE0900000002", status="Request for Initial Evidence Was Sent", form="I-485")
    office.check(Snapshot(case_number="IOE0900000001", status="Request for Initial Evidence Was Sent"), requested)
    with office.app() as app:
        items = {item.case_number: item.id for item in app.store.items()}
        texts = [alert.body for alert in app.store.outbox.list() if "asks for evidence" in alert.title]
    assert sorted(re.findall(r"`watcher due ([^`]*)`", "\n".join(texts))) == sorted(map(str, items.values()))
