"""Promise 1: a kill before any SQL statement of a check loses no change and repeats none."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.webhook_workspace import WebhookWorkspace, api_account, page_account, webhook_workspace
from tests.sweep.killed_command import KILLED_STATUS
from tests.sweep.moments import run_module, watch
from watcher.clock import SystemClock
from watcher.model.alert import AlertState
from watcher.practice import Account, Fault, PracticePortal

NUMBER = "EAC9999000001"


def run_command(workspace: WebhookWorkspace, *arguments: str, kill_before: int = 0) -> int:
    """Run a command that is killed before its Nth SQL statement, if it has so many. Returns the exit status."""
    return run_module(workspace, "tests.sweep.killed_command", str(kill_before), *arguments)


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


def kill_everywhere(workspace: WebhookWorkspace) -> None:
    """Kill a check before each of its statements, check again, and compare with the check that was not killed."""
    workspace.phone.requests.clear()
    undisturbed = watch(workspace, "check", see=lambda: sent_titles(workspace))
    assert undisturbed.status == 0
    assert undisturbed.statements > 20
    assert len(undisturbed.moments) > 5
    changes, sent = recorded_changes(workspace), sent_titles(workspace)
    assert changes
    assert set(sent.values()) == {1}
    for moment in undisturbed.moments:
        when = f"after a kill before statement {moment.statement}"
        moment.restore(workspace.state)
        workspace.phone.requests.clear()
        assert run_command(workspace, "check") == 0, when
        assert recorded_changes(workspace) == changes, when
        all_sent = moment.seen + sent_titles(workspace)
        assert all_sent.keys() == sent.keys(), when
        for title, times in all_sent.items():
            assert times == 1 or (times == 2 and moment.seen[title] == 1), when
        repeated = all_sent.total() - sent.total()
        assert repeated <= 1, f"{when}: only the alert that the channel had just accepted may be repeated"
        assert all(alert.state is AlertState.SENT for alert in workspace.alerts())


def change_everything(portal: PracticePortal) -> None:
    case = portal.cases[NUMBER]
    case.set_status("Request for Evidence Was Sent", in_history=True)
    case.add_notice("Request for Evidence")
    case.add_event("We sent you a request for evidence.")


def test_a_kill_before_any_statement_of_a_check_loses_and_repeats_nothing(
    workspace: WebhookWorkspace, portal: PracticePortal
) -> None:
    workspace.check()
    change_everything(portal)
    kill_everywhere(workspace)


def test_a_killed_check_leaves_the_files_of_the_moment(workspace: WebhookWorkspace, portal: PracticePortal) -> None:
    def left() -> tuple[Counter[tuple[str, str | None]], list[AlertState], Counter[str]]:
        return recorded_changes(workspace), [alert.state for alert in workspace.alerts()], sent_titles(workspace)

    workspace.check()
    change_everything(portal)
    workspace.phone.requests.clear()
    undisturbed = watch(workspace, "check", see=lambda: sent_titles(workspace))
    first = undisturbed.moments[0]
    for moment in undisturbed.moments[1:-1:3]:
        first.restore(workspace.state)
        workspace.phone.requests.clear()
        assert run_command(workspace, "check", kill_before=moment.statement) == KILLED_STATUS
        after_a_kill = left()
        moment.restore(workspace.state)
        assert after_a_kill == (*left()[:2], moment.seen)


def test_a_kill_before_any_statement_of_a_failed_check_reports_the_failure_once(
    workspace: WebhookWorkspace, portal: PracticePortal
) -> None:
    workspace.check()
    portal.faults.throw(Fault.CHANGED_SHAPE)
    workspace.phone.requests.clear()
    undisturbed = watch(workspace, "check", see=lambda: sent_titles(workspace))
    assert undisturbed.status == 1
    for moment in undisturbed.moments:
        moment.restore(workspace.state)
        workspace.phone.requests.clear()
        assert run_command(workspace, "check") == 1
        assert recorded_changes(workspace) == Counter({("case_added", None): 1, ("portal_unreadable", None): 1}), (
            f"after a kill before statement {moment.statement}"
        )
        assert (moment.seen + sent_titles(workspace)).total() in {1, 2}
