from datetime import timedelta

import pytest

from tests.practice.visitor import NUMBER, PAPER_NUMBER, START, HandClock, Visitor
from watcher.practice import PracticePortal


def test_token_response_matches_the_gateway(visitor: Visitor, portal: PracticePortal) -> None:
    answer = visitor.ask_token(portal.account.client_id, portal.account.client_secret)
    grant = answer.json()

    assert answer.status_code == 200
    assert grant["expires_in"] == "1799"
    assert grant["token_type"] == "BearerToken"
    assert grant["issued_at"] == str(int(START.timestamp()) * 1000)
    assert all(isinstance(value, str) for value in grant.values())


@pytest.mark.parametrize(("client_id", "client_secret"), [("other", None), (None, "wrong"), (None, "caf\N{SNOWMAN}")])
def test_wrong_client_is_refused(
    visitor: Visitor, portal: PracticePortal, client_id: str | None, client_secret: str | None
) -> None:
    account = portal.account

    answer = visitor.ask_token(client_id or account.client_id, client_secret or account.client_secret)

    assert answer.status_code == 401
    assert answer.json()["ErrorCode"] == "invalid_client"


def test_another_grant_is_refused(visitor: Visitor) -> None:
    assert visitor.http.post("/oauth/accesstoken", data={"grant_type": "password"}).status_code == 400


def test_token_lives_for_thirty_minutes_of_the_clock(
    visitor: Visitor, portal: PracticePortal, clock: HandClock
) -> None:
    portal.cases.add(NUMBER)
    token = visitor.token()
    clock.pass_by(timedelta(minutes=30) - timedelta(seconds=1))
    before = visitor.case_status(NUMBER, token)
    clock.pass_by(timedelta(seconds=1))
    after = visitor.case_status(NUMBER, token)

    assert before.status_code == 200
    assert after.status_code == 401
    assert after.json() == {"code": 401, "message": "Invalid Access Token"}
    assert visitor.case_status(NUMBER, visitor.token()).status_code == 200


def test_no_token_and_a_revoked_one_are_refused(visitor: Visitor, portal: PracticePortal) -> None:
    portal.cases.add(NUMBER)
    token = visitor.token()
    portal.tokens.revoke_tokens()

    assert visitor.case_status(NUMBER, token).status_code == 401
    assert visitor.http.get(f"/case-status/{NUMBER}").status_code == 401


def test_after_a_change_of_the_secret_only_the_new_one_is_good(visitor: Visitor, portal: PracticePortal) -> None:
    portal.tokens.change_client_secret("new")

    assert visitor.ask_token(portal.account.client_id, portal.account.client_secret).status_code == 401
    assert visitor.ask_token(portal.account.client_id, "new").status_code == 200


def test_electronic_case_has_exactly_these_fields(visitor: Visitor, portal: PracticePortal) -> None:
    portal.cases.add(NUMBER)
    answer = visitor.case_status(NUMBER, visitor.token())
    document = answer.json()

    assert answer.headers["content-type"] == "application/json"
    assert list(document) == ["case_status", "message"]
    assert document["message"] == "Query was successful for payload {'receipt_number': 'IOE0000000001'}"
    assert list(document["case_status"]) == [
        "receiptNumber",
        "formType",
        "current_case_status_text_en",
        "current_case_status_desc_en",
        "current_case_status_text_es",
        "current_case_status_desc_es",
        "hist_case_status",
    ]
    assert document["case_status"]["hist_case_status"] is None
    assert '<a href="https://www.uscis.gov/addresschange">' in document["case_status"]["current_case_status_desc_en"]


def test_paper_case_has_dates_in_eastern_time(visitor: Visitor, portal: PracticePortal, clock: HandClock) -> None:
    case = portal.cases.add(PAPER_NUMBER, form="I-130")
    clock.pass_by(timedelta(days=1))
    case.touch()
    answer = visitor.case_status(PAPER_NUMBER, visitor.token()).json()["case_status"]

    assert answer["submittedDate"] == "01-05-2026 10:00:00"
    assert answer["modifiedDate"] == "01-06-2026 10:00:00"
    assert answer["formType"] == "I-130"


@pytest.mark.parametrize("receipt", ["ioe0000000001", "IOE0000000001"])
def test_receipt_numbers_are_case_insensitive(visitor: Visitor, portal: PracticePortal, receipt: str) -> None:
    portal.cases.add(NUMBER)

    assert visitor.case_status(receipt, visitor.token()).json()["case_status"]["receiptNumber"] == NUMBER


def test_lockbox_pattern_is_known(visitor: Visitor, portal: PracticePortal) -> None:
    portal.cases.add("EAC*999910001")

    assert visitor.case_status("EAC*999910001", visitor.token()).status_code == 200


def test_unknown_receipt_is_not_recognised(visitor: Visitor) -> None:
    answer = visitor.case_status("EAC0000000000", visitor.token())

    assert answer.status_code == 404
    assert list(answer.json()) == ["message"]
    assert answer.json()["message"].startswith("Case Status Online does not recognize the receipt number entered.")


@pytest.mark.parametrize("receipt", ["ABC123", "IOE-0000000001", "IOE*0000000001", "IO10000000001"])
def test_impossible_receipt_is_refused(visitor: Visitor, receipt: str) -> None:
    answer = visitor.case_status(receipt, visitor.token())

    assert answer.status_code == 422
    assert answer.json()["message"].startswith("The application receipt number is not formatted correctly,")
