"""Checks of a USCIS online account on its double, with an imported session."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tests.doubles import uscis_answers as fake
from tests.doubles.uscis import CannedAnswer, FakeUscis, Fault
from tests.portals.context import PortalFakes
from watcher.errors import CaseNotFound, CodeNeeded, PortalUnavailable, SessionEnded, UnexpectedAnswer
from watcher.model.case import Snapshot
from watcher.portal import CaseFailed, CaseRead, CaseResult, PortalContext
from watcher.portals import find
from watcher.portals.uscis import UscisAccount

OTHER = "IOE0000000002"
SERVICE = "/account/case-service/api"


@pytest.fixture
def fakes(portal: FakeUscis) -> PortalFakes:
    fakes = PortalFakes()
    fakes.session.content = portal.cookie_file()
    return fakes


def account(portal: FakeUscis, **changed: Any) -> UscisAccount:
    return UscisAccount(name="family", portal="uscis", base_url=portal.origin, auth_url=portal.auth, **changed)


def check(account: UscisAccount, context: PortalContext) -> list[CaseResult]:
    with find("uscis").open(account, context) as reader:
        return list(reader.read())


def snapshots(results: list[CaseResult]) -> list[Snapshot]:
    return [result.snapshot for result in results if isinstance(result, CaseRead)]


def failures(results: list[CaseResult]) -> list[CaseFailed]:
    return [result for result in results if isinstance(result, CaseFailed)]


def test_every_case_on_the_applicants_page_is_checked(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(OTHER)
    results = check(account(portal), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(results)] == [fake.RECEIPT, OTHER]
    assert failures(results) == []
    (agent,) = portal.user_agents
    assert agent.startswith("case-watcher/")


def test_cases_setting_is_a_filter(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(OTHER)
    results = check(account(portal, cases=(OTHER,)), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(results)] == [OTHER]
    assert not any(fake.RECEIPT in request for request in portal.requests)


def test_finished_case_is_not_requested(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(OTHER)
    context = replace(fakes.context(), is_finished=lambda number: number == fake.RECEIPT)
    assert [snapshot.case_number for snapshot in snapshots(check(account(portal), context))] == [OTHER]
    assert not any(fake.RECEIPT in request for request in portal.requests)


def test_stored_answers_give_the_same_snapshot_without_names(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(documents=[fake.document(1, "Account Acceptance Notice", "2026-06-04")])
    (result,) = check(account(portal), fakes.context())
    assert isinstance(result, CaseRead)
    assert find("uscis").read(result.answers, "en") == result.snapshot
    everything = b"".join(result.answers.values())
    assert b"SAMPLE" not in everything
    assert b"passport" not in everything


def test_known_case_is_checked_even_if_the_page_no_longer_lists_it(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.EMPTY_PAGE)
    context = replace(fakes.context(), known_cases=frozenset({fake.RECEIPT}))
    assert [snapshot.case_number for snapshot in snapshots(check(account(portal), context))] == [fake.RECEIPT]


def test_page_without_receipts_is_unexpected_if_no_case_is_known(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.EMPTY_PAGE)
    with pytest.raises(UnexpectedAnswer, match="`cases`"):
        check(account(portal), fakes.context())


def test_missing_session_tells_the_user_what_to_do(portal: FakeUscis) -> None:
    with pytest.raises(SessionEnded, match="watcher login family --cookies FILE"):
        check(account(portal), PortalFakes().context())
    assert portal.requests == []


@pytest.mark.parametrize("fault", [None, Fault.NULL_FOR_401])
def test_ended_session_requires_the_user_and_submits_nothing(
    portal: FakeUscis, fakes: PortalFakes, fault: Fault | None
) -> None:
    portal.faults |= {fault} if fault else set()
    portal.end_sessions()
    with pytest.raises(SessionEnded, match="has ended"):
        check(account(portal), fakes.context())
    assert (portal.passwords, fakes.sign_in_guard.submissions) == ([], [])


@pytest.mark.parametrize("fault", [None, Fault.NULL_FOR_401])
def test_session_that_ends_between_two_cases_loses_no_result(
    portal: FakeUscis, fakes: PortalFakes, fault: Fault | None
) -> None:
    portal.add_case(OTHER)
    portal.faults |= {fault} if fault else set()
    with find("uscis").open(account(portal), fakes.context()) as reader:
        results = reader.read()
        first = next(iter(results))
        portal.end_sessions()
        with pytest.raises(SessionEnded):
            list(results)
    assert [snapshot.case_number for snapshot in snapshots([first])] == [fake.RECEIPT]


def test_session_of_the_sign_in_origin_is_carried_over(portal: FakeUscis) -> None:
    fakes = PortalFakes()
    portal.signed_in.add("half")
    fakes.session.content = (
        b'{"cookies":[{"name":"_uscis_user_session","value":"half","domain":"127.0.0.1","path":"/"}]}'
    )
    assert len(snapshots(check(account(portal), fakes.context()))) == 1
    assert b"_myuscis_session_rx" in (fakes.session.content or b"")
    portal.signed_in.clear()
    assert len(snapshots(check(account(portal), fakes.context()))) == 1


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_case_of_another_account_is_an_error_of_that_case_only(
    portal: FakeUscis, fakes: PortalFakes, status: int
) -> None:
    portal.add_case(OTHER)
    portal.answers[f"{SERVICE}/cases/{OTHER}"] = CannedAnswer(status=status, body=b'{"data":null,"error":{}}')
    results = check(account(portal), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(results)] == [fake.RECEIPT]
    (missing,) = failures(results)
    assert (missing.case_number, type(missing.error)) == (OTHER, CaseNotFound)


def test_server_error_for_a_case_of_the_account_does_not_affect_the_others(
    portal: FakeUscis, fakes: PortalFakes
) -> None:
    context = replace(fakes.context(), known_cases=frozenset({OTHER}))
    results = check(account(portal, cases=(OTHER, fake.RECEIPT)), context)
    assert [snapshot.case_number for snapshot in snapshots(results)] == [fake.RECEIPT]
    (failure,) = failures(results)
    assert isinstance(failure.error, PortalUnavailable)
    assert "another account" in str(failure.error)


def test_server_error_for_a_number_that_the_account_never_showed_means_that_it_is_not_found(
    portal: FakeUscis, fakes: PortalFakes
) -> None:
    results = check(account(portal, cases=(OTHER, fake.RECEIPT)), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(results)] == [fake.RECEIPT]
    (failure,) = failures(results)
    assert isinstance(failure.error, CaseNotFound)
    assert failure.error.out_of_reach


def test_server_error_is_trouble_while_the_page_lists_nothing(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.EMPTY_PAGE)
    (failure,) = failures(check(account(portal, cases=(OTHER,)), fakes.context()))
    assert isinstance(failure.error, PortalUnavailable)


def test_answer_about_another_case_is_unexpected(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(OTHER, case=fake.case("IOE0000000003"))
    (failure,) = failures(check(account(portal), fakes.context()))
    assert (failure.case_number, type(failure.error)) == (OTHER, UnexpectedAnswer)


@pytest.mark.parametrize(
    ("path", "part"), [("case_status/{}", "status"), ("cases/{}/documents", "documents")], ids=["status", "documents"]
)
@pytest.mark.parametrize(
    "answer",
    [
        CannedAnswer(status=500, body=b"{}"),
        CannedAnswer(status=200, body=b"<html>Maintenance</html>", content_type="text/html"),
        CannedAnswer(status=200, body=b'{"data":{"receiptNumber":7}}'),
    ],
    ids=["500", "maintenance", "another shape"],
)
def test_failing_endpoint_is_a_silent_source_and_is_reported(
    portal: FakeUscis, fakes: PortalFakes, path: str, part: str, answer: CannedAnswer
) -> None:
    portal.answers[f"{SERVICE}/{path.format(fake.RECEIPT)}"] = answer
    results = check(account(portal), fakes.context())
    (snapshot,) = snapshots(results)
    assert part in snapshot.silent
    (failure,) = failures(results)
    assert failure.case_number == fake.RECEIPT


def test_case_without_documents_is_not_a_failure(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.answers[f"{SERVICE}/cases/{fake.RECEIPT}/documents"] = CannedAnswer(status=404, body=b"{}")
    assert failures(check(account(portal), fakes.context())) == []


def test_embedded_case_is_reported_as_a_case(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(case=fake.case(concurrentCases=[fake.case(OTHER, formType="I-131")]))
    results = check(account(portal), fakes.context())
    assert [(snapshot.case_number, snapshot.form) for snapshot in snapshots(results)] == [
        (fake.RECEIPT, "I-485"),
        (OTHER, "I-131"),
    ]
    assert f"GET {SERVICE}/cases/{OTHER}" not in portal.requests


def test_maintenance_makes_the_portal_unavailable(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.MAINTENANCE)
    with pytest.raises(PortalUnavailable):
        check(account(portal), fakes.context())


def test_firewall_against_programs_requires_the_user(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.FIREWALL)
    with pytest.raises(CodeNeeded, match="person's browser"):
        check(account(portal), fakes.context())


def test_session_file_is_unchanged_if_the_portal_renewed_no_cookie(portal: FakeUscis, fakes: PortalFakes) -> None:
    before = fakes.session.content
    check(account(portal), fakes.context())
    assert fakes.session.content == before


@pytest.mark.parametrize("receipt", ["EAC9999103403", "LIN9999106498", "SRC*999913271"])
def test_paper_receipt_is_out_of_reach_and_never_requested(portal: FakeUscis, fakes: PortalFakes, receipt: str) -> None:
    results = check(account(portal, cases=(receipt, fake.RECEIPT)), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(results)] == [fake.RECEIPT]
    (failure,) = failures(results)
    assert failure.case_number == receipt
    assert isinstance(failure.error, CaseNotFound)
    assert failure.error.out_of_reach
    assert "uscis-api" in str(failure.error)
    assert not any(receipt in request for request in portal.requests)


def test_paper_receipt_that_the_page_lists_is_out_of_reach(portal: FakeUscis, fakes: PortalFakes) -> None:
    paper = "EAC9999103403"
    portal.add_case(paper, case=fake.case(paper))
    results = check(account(portal), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(results)] == [fake.RECEIPT]
    assert [failure.case_number for failure in failures(results)] == [paper]


def test_number_that_is_no_receipt_is_rejected() -> None:
    with pytest.raises(ValidationError, match="three letters and ten digits"):
        UscisAccount(name="family", portal="uscis", cases=("IOE12",))


@pytest.mark.parametrize("written", ["ioe0000000001", "IOE-000-000-0001", " IOE 0000000001 "])
def test_receipt_number_may_be_written_as_on_paper(written: str) -> None:
    assert UscisAccount(name="family", portal="uscis", cases=(written,)).cases == (fake.RECEIPT,)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, r"needs username\n.*needs password; .* WATCHER_ACCOUNTS__FAMILY__PASSWORD"),
        ({"username": "a", "password": "b", "mfa": "totp"}, "totp_secret"),
        ({"username": "a", "password": "b", "mfa": "email"}, "mailbox"),
    ],
)
def test_incomplete_browser_account_names_the_missing_key(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        UscisAccount(name="family", portal="uscis", sign_in="browser", **keys)


def test_only_a_browser_account_has_a_credential() -> None:
    keys: dict[str, Any] = {"name": "family", "portal": "uscis", "username": "a", "password": SecretStr("b")}
    assert UscisAccount(**keys).credential() is None
    browser = UscisAccount(**keys, sign_in="browser")
    assert browser.credential() is not None
    assert browser.credential() != UscisAccount(**keys | {"password": SecretStr("c")}, sign_in="browser").credential()


def test_portal_is_checked_six_times_a_day_at_most() -> None:
    assert find("uscis").min_every == timedelta(hours=4)


def test_code_lists_are_part_of_the_package() -> None:
    folder = Path(__file__).parents[3] / "watcher" / "language" / "vocabulary"
    published = (folder / "uscis_action_codes.tsv").read_text(encoding="utf-8").splitlines()
    assert len([line for line in published if "\t" in line]) == 1 + 492
