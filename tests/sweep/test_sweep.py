"""Promise 1: the process dies before each SQL statement in turn, and still the whole story is told, once."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import fork_server
from tests.support.webhook_workspace import WebhookWorkspace, api_account, page_account, webhook_workspace
from tests.sweep.mortal import DEATH
from watcher.clock import SystemClock
from watcher.model.alert import AlertState
from watcher.practice import Account, Fault, PracticePortal

NUMBER = "EAC9999000001"
TOO_MANY = 400


def live(home: WebhookWorkspace, *words: str, die_before: int = 0) -> int:
    """A command in a process that dies before its Nth SQL statement, if it gets there: its exit status."""
    return fork_server.run(
        "tests.sweep.mortal",
        [str(die_before), *words],
        folder=home.folder,
        environ=home.environment(),
        stdin="",
        timeout=120,
    ).status


@pytest.fixture
def portal() -> Iterator[PracticePortal]:
    with PracticePortal(SystemClock(), account=Account(totp_secret=None), tls=False) as portal:
        case = portal.cases.add(NUMBER, form="I-485")
        case.set_status("Case Was Received", in_history=True)
        yield portal


def without_ca(account: str) -> str:
    return "\n".join(line for line in account.splitlines() if not line.startswith("ca_file")) + "\n"


@pytest.fixture(params=["api", "pages"])
def home(request: pytest.FixtureRequest, portal: PracticePortal, tmp_path: Path) -> Iterator[WebhookWorkspace]:
    account = api_account if request.param == "api" else page_account
    with webhook_workspace(
        tmp_path, without_ca(account(_plain(portal), *([NUMBER] if request.param == "api" else [])))
    ) as home:
        yield home


class _Plain:
    """The portal as the accounts of the household see it: over plain HTTP there is no authority to trust."""

    def __init__(self, portal: PracticePortal) -> None:
        self.base_url, self.account, self.ca_file = portal.base_url, portal.account, Path("/nowhere")


def _plain(portal: PracticePortal) -> PracticePortal:
    return _Plain(portal)  # type: ignore[return-value]


def story_of(home: WebhookWorkspace) -> Counter[tuple[str, str | None]]:
    return Counter((change.change.kind.value, change.change.subject) for change in home.changes())


def told_of(home: WebhookWorkspace) -> Counter[str]:
    return Counter(message["title"] for message in home.phone.messages)


def die_everywhere(home: WebhookWorkspace, change: Callable[[], None]) -> None:
    """Dies before each statement of a round in turn, then lives on; compares with the round that nothing disturbed."""
    kept = home.folder / "kept"
    shutil.copytree(home.state, kept)
    change()
    home.phone.requests.clear()
    assert live(home, "check") == 0
    story, told = story_of(home), told_of(home)
    assert story
    assert set(told.values()) == {1}
    for step in range(1, TOO_MANY):
        shutil.rmtree(home.state)
        shutil.copytree(kept, home.state)
        home.phone.requests.clear()
        ended = live(home, "check", die_before=step)
        heard_before = told_of(home)
        assert live(home, "check") == 0
        assert story_of(home) == story, f"after dying before statement {step}"
        assert told_of(home).keys() == told.keys(), f"after dying before statement {step}"
        for title, times in told_of(home).items():
            assert times == 1 or (times == 2 and heard_before[title] == 1), f"statement {step}"
        repeated = sum(told_of(home).values()) - sum(told.values())
        assert repeated <= 1, f"statement {step}: only the one that the channel had just taken may come again"
        assert all(alert.state is AlertState.SENT for alert in home.alerts())
        if ended != DEATH:
            assert ended == 0
            assert step > 20
            return
    pytest.fail(f"the round had more than {TOO_MANY} statements")


@pytest.mark.timeout(600)
def test_dying_before_any_statement_of_a_round_loses_nothing_and_repeats_nothing(
    home: WebhookWorkspace, portal: PracticePortal
) -> None:
    home.check()

    def everything_at_once() -> None:
        case = portal.cases[NUMBER]
        case.set_status("Request for Evidence Was Sent", in_history=True)
        case.add_notice("Request for Evidence")
        case.add_event("We sent you a request for evidence.")

    die_everywhere(home, everything_at_once)


@pytest.mark.timeout(600)
def test_dying_before_any_statement_of_a_failed_round_tells_the_trouble_once(
    home: WebhookWorkspace, portal: PracticePortal
) -> None:
    home.check()
    kept = home.folder / "kept"
    shutil.copytree(home.state, kept)
    portal.faults.throw(Fault.CHANGED_SHAPE)
    for step in range(1, TOO_MANY):
        shutil.rmtree(home.state)
        shutil.copytree(kept, home.state)
        home.phone.requests.clear()
        ended = live(home, "check", die_before=step)
        assert live(home, "check") == 1
        assert story_of(home) == Counter({("case_added", None): 1, ("portal_unreadable", None): 1}), f"{step}"
        assert sum(told_of(home).values()) in {1, 2}
        if ended != DEATH:
            return
    pytest.fail(f"the round had more than {TOO_MANY} statements")
