"""Promise 1: a kill before any SQL statement of a check loses no change and repeats none."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import fork_server
from tests.support.webhook_workspace import WebhookWorkspace, api_account, page_account, webhook_workspace
from tests.sweep.killed_command import KILLED_STATUS
from watcher.clock import SystemClock
from watcher.model.alert import AlertState
from watcher.practice import Account, Fault, PracticePortal

NUMBER = "EAC9999000001"
MAX_STATEMENTS = 400


def run_command(workspace: WebhookWorkspace, *arguments: str, kill_before: int = 0) -> int:
    """Run a command that is killed before its Nth SQL statement, if it has so many. Returns the exit status."""
    return fork_server.run(
        "tests.sweep.killed_command",
        [str(kill_before), *arguments],
        folder=workspace.folder,
        environ=workspace.environment(),
        stdin="",
        timeout=120,
    ).status


@pytest.fixture
def portal() -> Iterator[PracticePortal]:
    with PracticePortal(SystemClock(), account=Account(totp_secret=None), tls=False) as portal:
        case = portal.cases.add(NUMBER, form="I-485")
        case.set_status("Case Was Received", in_history=True)
        yield portal


def without_ca_file(account: str) -> str:
    return "\n".join(line for line in account.splitlines() if not line.startswith("ca_file")) + "\n"


@pytest.fixture(params=["api", "pages"])
def workspace(request: pytest.FixtureRequest, portal: PracticePortal, tmp_path: Path) -> Iterator[WebhookWorkspace]:
    account = api_account if request.param == "api" else page_account
    with webhook_workspace(
        tmp_path, without_ca_file(account(_over_plain_http(portal), *([NUMBER] if request.param == "api" else [])))
    ) as workspace:
        yield workspace


class _PlainHttpPortal:
    """The portal for an account's settings: over plain HTTP there is no certificate authority to trust."""

    def __init__(self, portal: PracticePortal) -> None:
        self.base_url, self.account, self.ca_file = portal.base_url, portal.account, Path("/nowhere")


def _over_plain_http(portal: PracticePortal) -> PracticePortal:
    return _PlainHttpPortal(portal)  # type: ignore[return-value]


def recorded_changes(workspace: WebhookWorkspace) -> Counter[tuple[str, str | None]]:
    return Counter((change.change.kind.value, change.change.subject) for change in workspace.changes())


def sent_titles(workspace: WebhookWorkspace) -> Counter[str]:
    return Counter(message["title"] for message in workspace.phone.messages)


def kill_everywhere(workspace: WebhookWorkspace, change: Callable[[], None]) -> None:
    """Kill a check before each of its statements in turn, check again, and compare with an undisturbed check."""
    saved_state = workspace.folder / "saved"
    shutil.copytree(workspace.state, saved_state)
    change()
    workspace.phone.requests.clear()
    assert run_command(workspace, "check") == 0
    changes, sent = recorded_changes(workspace), sent_titles(workspace)
    assert changes
    assert set(sent.values()) == {1}
    for step in range(1, MAX_STATEMENTS):
        shutil.rmtree(workspace.state)
        shutil.copytree(saved_state, workspace.state)
        workspace.phone.requests.clear()
        status = run_command(workspace, "check", kill_before=step)
        sent_before = sent_titles(workspace)
        assert run_command(workspace, "check") == 0
        assert recorded_changes(workspace) == changes, f"after a kill before statement {step}"
        assert sent_titles(workspace).keys() == sent.keys(), f"after a kill before statement {step}"
        for title, times in sent_titles(workspace).items():
            assert times == 1 or (times == 2 and sent_before[title] == 1), f"statement {step}"
        repeated = sum(sent_titles(workspace).values()) - sum(sent.values())
        assert repeated <= 1, f"statement {step}: only the alert that the channel had just accepted may be repeated"
        assert all(alert.state is AlertState.SENT for alert in workspace.alerts())
        if status != KILLED_STATUS:
            assert status == 0
            assert step > 20
            return
    pytest.fail(f"the check had more than {MAX_STATEMENTS} statements")


@pytest.mark.timeout(600)
def test_a_kill_before_any_statement_of_a_check_loses_and_repeats_nothing(
    workspace: WebhookWorkspace, portal: PracticePortal
) -> None:
    workspace.check()

    def change_everything() -> None:
        case = portal.cases[NUMBER]
        case.set_status("Request for Evidence Was Sent", in_history=True)
        case.add_notice("Request for Evidence")
        case.add_event("We sent you a request for evidence.")

    kill_everywhere(workspace, change_everything)


@pytest.mark.timeout(600)
def test_a_kill_before_any_statement_of_a_failed_check_reports_the_failure_once(
    workspace: WebhookWorkspace, portal: PracticePortal
) -> None:
    workspace.check()
    saved_state = workspace.folder / "saved"
    shutil.copytree(workspace.state, saved_state)
    portal.faults.throw(Fault.CHANGED_SHAPE)
    for step in range(1, MAX_STATEMENTS):
        shutil.rmtree(workspace.state)
        shutil.copytree(saved_state, workspace.state)
        workspace.phone.requests.clear()
        status = run_command(workspace, "check", kill_before=step)
        assert run_command(workspace, "check") == 1
        assert recorded_changes(workspace) == Counter({("case_added", None): 1, ("portal_unreadable", None): 1}), (
            f"{step}"
        )
        assert sum(sent_titles(workspace).values()) in {1, 2}
        if status != KILLED_STATUS:
            return
    pytest.fail(f"the check had more than {MAX_STATEMENTS} statements")
