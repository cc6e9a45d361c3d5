"""One case, nineteen moods of its portal, through the real command: what people hear of each, and what they do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.lengths import Longest
from tests.support.webhook_workspace import WebhookWorkspace, api_account, page_account, webhook_workspace
from watcher.clock import SystemClock
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind, Severity
from watcher.practice import Account, Fault, PracticeCase, PracticePortal

NUMBER = "EAC9999000001"
LONGEST = Longest()
UNDER_REVIEW = "Case Is Being Actively Reviewed By USCIS"
RFE = "Request for Evidence Was Sent"


@dataclass(slots=True, kw_only=True)
class Watch:
    """A household that watches one case, and the portal it is at."""

    portal: PracticePortal
    home: WebhookWorkspace
    heard: int = 0

    @property
    def case(self) -> PracticeCase:
        return self.portal.cases[NUMBER]

    def check(self, *, well: bool = True) -> tuple[list[str], list[str]]:
        """Reads once. Returns the kinds of what was told of the case and of the account, one list for each alert."""
        self.home.check(expect=(0,) if well else (1,))
        return self.news()

    def news(self) -> tuple[list[str], list[str]]:
        """What the phone has received since the last look: per alert its most urgent kind."""
        for alert in self.home.alerts():
            LONGEST.check(title=alert.title, body=alert.body, short=alert.short)
        sent = [alert for alert in self.home.alerts() if alert.state is AlertState.SENT][self.heard :]
        self.heard += len(sent)
        titles = [message["title"] for message in self.home.phone.messages]
        assert [alert.title for alert in sent] == titles[len(titles) - len(sent) :]
        by_id = {change.id: change.change for change in self.home.changes()}
        of_case: list[str] = []
        of_account: list[str] = []
        for alert in sent:
            first = by_id[alert.change_ids[0]]
            (of_case if first.case_number else of_account).append(first.kind.value)
        return of_case, of_account


@pytest.fixture(params=["api", "pages"])
def watch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watch]:
    """The same story is told through the Case Status API and through a portal's own pages, behind a sign-in."""
    with PracticePortal(SystemClock(), account=Account(totp_secret=None)) as portal:
        case = portal.cases.add(NUMBER, form="I-485")
        case.set_status(UNDER_REVIEW, in_history=True)
        account = api_account(portal, NUMBER) if request.param == "api" else page_account(portal)
        with webhook_workspace(tmp_path, account) as home:
            yield Watch(portal=portal, home=home)


@pytest.fixture
def watching(watch: Watch) -> Watch:
    """Already watching: the baseline has been read and told."""
    assert watch.check() == (["case_added"], [])
    return watch


def test_first_check_alerts_that_the_case_is_watched(watch: Watch) -> None:
    assert watch.check() == (["case_added"], [])
    (alert,) = watch.home.run("alerts", "--json").json["alerts"]
    assert (alert["severity"], alert["state"]) == ("routine", "sent")


def test_unchanged_case_is_not_alerted(watching: Watch) -> None:
    assert watching.check() == ([], [])


def test_request_for_evidence_is_one_urgent_alert_and_going_back_is_one_more(watching: Watch) -> None:
    case = watching.case
    before = case.record.status
    case.set_status(RFE, in_history=True)
    assert watching.check() == (["rfe_received"], [])
    newest = watching.home.alerts()[-1]
    assert newest.severity is Severity.URGENT
    kinds = {change.change.kind for change in watching.home.changes() if change.id in newest.change_ids}
    assert {ChangeKind.RFE_RECEIVED, ChangeKind.STAGE_CHANGED} <= kinds

    case.show_status(before)
    of_case, of_account = watching.check()
    assert (len(of_case), of_account) == (1, [])


def test_order_of_keys_and_lists_is_not_a_change(watching: Watch) -> None:
    watching.case.add_event("We received something.")
    watching.case.add_event("We received something else.")
    watching.check()
    watching.portal.faults.throw(Fault.REORDERED)
    assert watching.check() == ([], [])
    watching.portal.faults.clear()
    assert watching.check() == ([], [])


def test_timestamp_change_alone_is_one_routine_alert(watching: Watch) -> None:
    watching.case.touch(at=SystemClock().now() + timedelta(seconds=90))
    assert watching.check() == (["silent_update"], [])
    assert watching.home.alerts()[-1].severity is Severity.ROUTINE


def test_expired_session_is_renewed_silently(watching: Watch) -> None:
    watching.portal.desk.revoke_sessions()
    watching.portal.tokens.revoke_tokens()
    assert watching.check() == ([], [])


def test_sign_in_page_instead_of_data_is_alerted_once_for_the_account(watching: Watch) -> None:
    watching.portal.faults.throw(Fault.SIGN_IN_PAGE)
    of_case, of_account = watching.check(well=False)
    assert of_case == []
    assert len(of_account) == 1
    assert watching.check(well=False) == ([], [])
    watching.portal.faults.clear()
    assert watching.check() == ([], ["recovered"])


def test_empty_list_is_not_a_change_of_the_case(watching: Watch) -> None:
    watching.portal.faults.throw(Fault.EMPTY_LIST)
    of_case, of_account = watching.check(well=False)
    assert of_case == []
    assert of_account == ["portal_unreadable"]
    watching.portal.faults.clear()
    assert watching.check() == ([], ["recovered"])


def test_short_outage_is_not_alerted(watching: Watch) -> None:
    watching.portal.faults.throw(Fault.UNAVAILABLE)
    for _ in range(3):
        assert watching.check(well=False) == ([], [])
    watching.portal.faults.clear()
    assert watching.check() == ([], [])


def test_retry_after_is_honored_across_restarts(watching: Watch) -> None:
    watching.portal.faults.throw(Fault.TOO_MANY_REQUESTS, retry_after=timedelta(hours=1))
    assert watching.check(well=False) == ([], [])
    watching.portal.forget_requests()
    for _ in range(2):
        assert watching.check(well=False) == ([], [])
    assert watching.portal.requests == ()


def test_alert_rejected_by_the_channel_arrives_later_and_once(watching: Watch) -> None:
    watching.home.phone.status = 500
    watching.case.set_status("Interview Was Scheduled", in_history=True)
    assert watching.check(well=False) == ([], [])
    (waiting,) = [alert for alert in watching.home.run("alerts", "--json").json["alerts"] if alert["state"] == "queued"]
    assert waiting["attempts"] == 1
    assert waiting["last_error"]
    watching.home.phone.status = 200
    watching.home.run("alerts", "retry")
    assert watching.check() == (["appointment_scheduled"], [])
    assert watching.check() == ([], [])


def test_changes_during_an_outage_are_alerted_at_the_first_successful_check(watching: Watch) -> None:
    watching.portal.faults.throw(Fault.MAINTENANCE)
    watching.case.set_status(RFE, in_history=True)
    of_case, of_account = watching.check(well=False)
    assert of_case == []
    assert len(of_account) <= 1
    watching.portal.faults.clear()
    of_case, recovered = watching.check()
    assert of_case == ["rfe_received"]
    assert recovered == ["recovered"] * len(of_account)


def test_changed_password_is_one_attempt_and_one_urgent_alert_however_often_it_is_restarted(watching: Watch) -> None:
    watching.portal.desk.change_password("another password")
    watching.portal.tokens.change_client_secret("another secret")
    watching.portal.desk.revoke_sessions()
    watching.portal.tokens.revoke_tokens()
    watching.portal.forget_requests()
    assert watching.check(well=False) == ([], ["sign_in_rejected"])
    for _ in range(5):
        assert watching.check(well=False) == ([], [])
    submissions = [
        request
        for request in watching.portal.requests
        if request.method == "POST" and request.path in {"/login", "/oauth/accesstoken"}
    ]
    assert len(submissions) == 1
    (alert,) = [alert for alert in watching.home.alerts() if alert.severity is Severity.URGENT]
    assert alert.state is AlertState.SENT
