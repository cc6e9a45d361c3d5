"""Reading a USCIS online account from its double, with a session that a person took over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tests.doubles import uscis_answers as said
from tests.doubles.uscis import CannedAnswer, FakeUscis, Fault, running_uscis
from tests.portals.context import PortalFakes
from watcher.errors import CaseNotFound, CodeNeeded, PortalUnavailable, UnexpectedAnswer
from watcher.model.case import Snapshot
from watcher.portal import CaseFailed, CaseRead, CaseResult, PortalContext
from watcher.portals import find
from watcher.portals.uscis import UscisAccount

OTHER = "IOE0000000002"
SERVICE = "/account/case-service/api"


@pytest.fixture
def portal() -> Iterator[FakeUscis]:
    with running_uscis() as running:
        yield running


@pytest.fixture
def fakes(portal: FakeUscis) -> PortalFakes:
    made = PortalFakes()
    made.session.content = portal.cookie_file()
    return made


def account(portal: FakeUscis, **changed: Any) -> UscisAccount:
    return UscisAccount(name="family", portal="uscis", base_url=portal.origin, auth_url=portal.auth, **changed)


def read(account: UscisAccount, surroundings: PortalContext) -> list[CaseResult]:
    with find("uscis").open(account, surroundings) as reader:
        return list(reader.read())


def snapshots(readings: list[CaseResult]) -> list[Snapshot]:
    return [reading.snapshot for reading in readings if isinstance(reading, CaseRead)]


def unread(readings: list[CaseResult]) -> list[CaseFailed]:
    return [reading for reading in readings if isinstance(reading, CaseFailed)]


def test_every_case_on_the_applicants_page_is_read(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(OTHER)
    readings = read(account(portal), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(readings)] == [said.RECEIPT, OTHER]
    assert unread(readings) == []
    (agent,) = portal.user_agents
    assert agent.startswith("case-watcher/")


def test_cases_is_a_filter(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(OTHER)
    readings = read(account(portal, cases=(OTHER,)), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(readings)] == [OTHER]
    assert not any(said.RECEIPT in asked for asked in portal.requests)


def test_what_is_kept_of_the_answers_reads_the_same_and_names_nobody(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(documents=[said.document(1, "Account Acceptance Notice", "2026-06-04")])
    (reading,) = read(account(portal), fakes.context())
    assert isinstance(reading, CaseRead)
    assert find("uscis").read(reading.answers, "en") == reading.snapshot
    everything = b"".join(reading.answers.values())
    assert b"SAMPLE" not in everything
    assert b"passport" not in everything


def test_a_case_that_the_store_knows_is_read_though_the_page_no_longer_lists_it(
    portal: FakeUscis, fakes: PortalFakes
) -> None:
    portal.faults.add(Fault.EMPTY_PAGE)
    context = replace(fakes.context(), known_cases=frozenset({said.RECEIPT}))
    assert [snapshot.case_number for snapshot in snapshots(read(account(portal), context))] == [said.RECEIPT]


def test_a_page_without_a_receipt_is_strange_where_none_is_known(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.EMPTY_PAGE)
    with pytest.raises(UnexpectedAnswer, match="`cases`"):
        read(account(portal), fakes.context())


def test_without_a_session_a_person_is_told_what_to_do(portal: FakeUscis) -> None:
    with pytest.raises(CodeNeeded, match="watcher login family --cookies FILE"):
        read(account(portal), PortalFakes().context())
    assert portal.requests == []


@pytest.mark.parametrize("fault", [None, Fault.NULL_FOR_401])
def test_an_ended_session_waits_for_a_person_and_submits_nothing(
    portal: FakeUscis, fakes: PortalFakes, fault: Fault | None
) -> None:
    portal.faults |= {fault} if fault else set()
    portal.end_sessions()
    with pytest.raises(CodeNeeded, match="ended"):
        read(account(portal), fakes.context())
    assert (portal.passwords, fakes.sign_in_guard.submissions) == ([], [])


@pytest.mark.parametrize("fault", [None, Fault.NULL_FOR_401])
def test_a_session_that_ends_between_two_cases_loses_nothing_that_was_read(
    portal: FakeUscis, fakes: PortalFakes, fault: Fault | None
) -> None:
    portal.add_case(OTHER)
    portal.faults |= {fault} if fault else set()
    with find("uscis").open(account(portal), fakes.context()) as reader:
        readings = reader.read()
        first = next(iter(readings))
        portal.end_sessions()
        with pytest.raises(CodeNeeded):
            list(readings)
    assert [snapshot.case_number for snapshot in snapshots([first])] == [said.RECEIPT]


def test_a_session_of_the_sign_in_side_is_carried_over(portal: FakeUscis) -> None:
    fakes = PortalFakes()
    portal.signed_in.add("half")
    fakes.session.content = (
        b'{"cookies":[{"name":"_uscis_user_session","value":"half","domain":"127.0.0.1","path":"/"}]}'
    )
    assert len(snapshots(read(account(portal), fakes.context()))) == 1
    assert b"_myuscis_session_rx" in (fakes.session.content or b"")
    portal.signed_in.clear()
    assert len(snapshots(read(account(portal), fakes.context()))) == 1


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_a_case_of_another_account_is_an_error_of_that_case_alone(
    portal: FakeUscis, fakes: PortalFakes, status: int
) -> None:
    portal.add_case(OTHER)
    portal.answers[f"{SERVICE}/cases/{OTHER}"] = CannedAnswer(status=status, body=b'{"data":null,"error":{}}')
    readings = read(account(portal), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(readings)] == [said.RECEIPT]
    (missing,) = unread(readings)
    assert (missing.case_number, type(missing.error)) == (OTHER, CaseNotFound)


def test_a_server_error_about_one_case_leaves_the_others(portal: FakeUscis, fakes: PortalFakes) -> None:
    readings = read(account(portal, cases=(OTHER, said.RECEIPT)), fakes.context())
    assert [snapshot.case_number for snapshot in snapshots(readings)] == [said.RECEIPT]
    (trouble,) = unread(readings)
    assert isinstance(trouble.error, PortalUnavailable)
    assert "another account" in str(trouble.error)


def test_another_case_than_the_one_asked_for_is_strange(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(OTHER, case=said.case("IOE0000000003"))
    (trouble,) = unread(read(account(portal), fakes.context()))
    assert (trouble.case_number, type(trouble.error)) == (OTHER, UnexpectedAnswer)


@pytest.mark.parametrize(
    ("path", "part"), [("case_status/{}", "history"), ("cases/{}/documents", "notices")], ids=["status", "documents"]
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
def test_a_failing_endpoint_leaves_its_part_unsaid_and_is_reported(
    portal: FakeUscis, fakes: PortalFakes, path: str, part: str, answer: CannedAnswer
) -> None:
    portal.answers[f"{SERVICE}/{path.format(said.RECEIPT)}"] = answer
    readings = read(account(portal), fakes.context())
    (snapshot,) = snapshots(readings)
    assert part in snapshot.partial
    (trouble,) = unread(readings)
    assert trouble.case_number == said.RECEIPT


def test_a_case_without_documents_is_no_trouble(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.answers[f"{SERVICE}/cases/{said.RECEIPT}/documents"] = CannedAnswer(status=404, body=b"{}")
    assert unread(read(account(portal), fakes.context())) == []


def test_a_whole_case_within_another_one_is_read_as_its_own(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.add_case(case=said.case(concurrentCases=[said.case(OTHER, formType="I-131")]))
    readings = read(account(portal), fakes.context())
    assert [(snapshot.case_number, snapshot.form) for snapshot in snapshots(readings)] == [
        (said.RECEIPT, "I-485"),
        (OTHER, "I-131"),
    ]
    assert f"GET {SERVICE}/cases/{OTHER}" not in portal.requests


def test_maintenance_is_not_news(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.MAINTENANCE)
    with pytest.raises(PortalUnavailable):
        read(account(portal), fakes.context())


def test_a_wall_against_programs_asks_for_a_person(portal: FakeUscis, fakes: PortalFakes) -> None:
    portal.faults.add(Fault.WALL)
    with pytest.raises(CodeNeeded, match="person's browser"):
        read(account(portal), fakes.context())


def test_the_session_file_is_left_alone_where_the_portal_renewed_nothing(portal: FakeUscis, fakes: PortalFakes) -> None:
    before = fakes.session.content
    read(account(portal), fakes.context())
    assert fakes.session.content == before


@pytest.mark.parametrize("receipt", ["EAC9999103403", "LIN9999106498", "SRC*999913271"])
def test_a_paper_receipt_is_refused_with_the_reason(receipt: str) -> None:
    with pytest.raises(ValidationError, match="paper files"):
        UscisAccount(name="family", portal="uscis", cases=(receipt,))


@pytest.mark.parametrize("written", ["ioe0000000001", "IOE-000-000-0001", " IOE 0000000001 "])
def test_a_receipt_may_be_written_as_on_paper(written: str) -> None:
    assert UscisAccount(name="family", portal="uscis", cases=(written,)).cases == (said.RECEIPT,)


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, "username and a password"),
        ({"username": "a", "password": "b", "mfa": "totp"}, "totp_secret"),
        ({"username": "a", "password": "b", "mfa": "email"}, "mailbox"),
    ],
)
def test_a_browser_account_says_what_it_lacks(keys: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ValidationError, match=wanted):
        UscisAccount(name="family", portal="uscis", sign_in="browser", **keys)


def test_only_what_is_submitted_is_a_credential() -> None:
    keys: dict[str, Any] = {"name": "family", "portal": "uscis", "username": "a", "password": SecretStr("b")}
    assert UscisAccount(**keys).credential() is None
    browser = UscisAccount(**keys, sign_in="browser")
    assert browser.credential() is not None
    assert browser.credential() != UscisAccount(**keys | {"password": SecretStr("c")}, sign_in="browser").credential()


def test_the_portal_is_not_asked_more_than_six_times_a_day() -> None:
    assert find("uscis").min_every == timedelta(hours=4)


def test_the_code_lists_go_with_the_package() -> None:
    folder = Path(__file__).parents[3] / "watcher" / "language" / "vocabulary"
    published = (folder / "uscis_action_codes.tsv").read_text(encoding="utf-8").splitlines()
    assert len([line for line in published if "\t" in line]) == 1 + 492
