import json
import ssl
from pathlib import Path

import pytest
import trustme

from tests.doubles.ircc import FIREWALL_ANSWER, immigration
from tests.doubles.loopback import reply, serve
from tests.portals.ircc.ircc_account import ONE, TWO, IrccFixture
from watcher.errors import CaseNotFound, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.portal import CaseFailed, CaseRead


class TestDataService:
    def test_token_rejected_during_a_check_is_renewed_without_the_password(self, pr: IrccFixture) -> None:
        pr.read()
        pr.cognito.id_tokens.clear()
        assert sorted(pr.snapshots()) == [ONE, TWO]
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (1, 1)

    def test_service_that_rejects_every_token_is_unavailable_and_no_password_is_sent(self, pr: IrccFixture) -> None:
        pr.read()
        pr.tracker.rejects_tokens = True
        pr.assert_fails(PortalUnavailable, "refuses a token")
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (1, 1)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (FIREWALL_ANSWER, PortalUnavailable),
            (reply(403, b'{"message":"Forbidden"}'), PortalUnavailable),
            (reply(500), PortalUnavailable),
            (reply(429, retry_after="60"), PortalUnavailable),
            (reply(404, b'{"message":"Not found"}'), UnexpectedAnswer),
            (reply(400, b'{"message":"Bad"}'), UnexpectedAnswer),
            (reply(302, b"", location="https://evil.example/"), PortalUnavailable),
            (reply(200, b"<html>Maintenance</html>"), UnexpectedAnswer),
            (reply(200, b"null"), UnexpectedAnswer),
            (reply(200, b'{"apps": null}'), UnexpectedAnswer),
            (reply(200, b'{"apps": [{"appNum": null}]}'), UnexpectedAnswer),
            (reply(200, b'{"errorMessage": "Internal"}'), UnexpectedAnswer),
        ],
    )
    def test_unreadable_list_ends_the_check(self, pr: IrccFixture, answer: bytes, error: type[ReadFailed]) -> None:
        pr.tracker.faults.append(answer)
        pr.assert_fails(error)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (reply(500), PortalUnavailable),
            (FIREWALL_ANSWER, PortalUnavailable),
            (reply(404, b'{"message":"Not found"}'), CaseNotFound),
            (reply(404, b"<html>Not found</html>"), PortalUnavailable),
            (reply(200, b'{"message": "Internal"}'), UnexpectedAnswer),
            (reply(200, json.dumps(immigration(TWO)).encode()), UnexpectedAnswer),
        ],
    )
    def test_unreadable_application_does_not_stop_the_others(
        self, pr: IrccFixture, answer: bytes, error: type[ReadFailed]
    ) -> None:
        pr.tracker.broken[ONE] = answer
        first, second = pr.read()
        assert isinstance(first, CaseFailed)
        assert (first.case_number, type(first.error)) == (ONE, error)
        assert isinstance(second, CaseRead)

    def test_unexpected_answer_is_returned_with_the_error(self, pr: IrccFixture) -> None:
        pr.tracker.broken[ONE] = reply(200, b'{"strange": 1}')
        (first, _) = pr.read()
        assert isinstance(first, CaseFailed)
        assert first.answers["get-application-details"] == b'{"strange": 1}'

    def test_retry_after_ends_the_check_for_all_applications(self, pr: IrccFixture) -> None:
        pr.tracker.broken[ONE] = reply(429, retry_after="60")
        pr.assert_fails(PortalUnavailable, "slow down")
        assert len(pr.servers.api.requests) == 2

    def test_empty_list_is_an_unexpected_answer_if_cases_are_known(self, pr: IrccFixture) -> None:
        pr.tracker.applications.clear()
        pr.assert_fails(UnexpectedAnswer, "empty", known=frozenset({ONE}))
        pr.assert_fails(UnexpectedAnswer, "empty", cases=[ONE])

    def test_account_without_applications_yields_no_results(self, pr: IrccFixture) -> None:
        pr.tracker.applications.clear()
        assert pr.read() == []

    def test_finished_application_is_not_requested(self, pr: IrccFixture) -> None:
        assert list(pr.snapshots(finished=frozenset({ONE}))) == [TWO]
        assert len(pr.servers.api.requests) == 2  # the list, and one application

    def test_numbers_are_compared_without_spaces_dashes_and_case(self, pr: IrccFixture) -> None:
        written = "e-000-000 001"
        pr.tracker.applications = {written: immigration(written)}
        assert list(pr.snapshots(cases=["E000000001"])) == [ONE]

    def test_stopping_the_daemon_ends_the_check(self, pr: IrccFixture) -> None:
        pr.read()
        pr.fakes.stop.set()
        pr.assert_fails(PortalUnavailable, "stopping")


class TestTls:
    """The data service omits an intermediate certificate from its chain; `ca_file` can supply it."""

    @pytest.fixture
    def chain(self, tmp_path: Path) -> tuple[ssl.SSLContext, Path, Path]:
        """A server that sends only its own certificate, the root alone, and the root with the intermediate."""
        root = trustme.CA()
        intermediate = root.create_child_ca()
        leaf = intermediate.issue_cert("127.0.0.1")
        leaf.cert_chain_pems[0].write_to_path(tmp_path / "leaf.pem")
        leaf.private_key_pem.write_to_path(tmp_path / "leaf.key")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
        root.cert_pem.write_to_path(tmp_path / "root.pem")
        root.cert_pem.write_to_path(tmp_path / "both.pem")
        intermediate.cert_pem.write_to_path(tmp_path / "both.pem", append=True)
        return tls, tmp_path / "root.pem", tmp_path / "both.pem"

    def test_missing_intermediate_certificate_can_be_added_with_verification_on(
        self, pr: IrccFixture, chain: tuple[ssl.SSLContext, Path, Path]
    ) -> None:
        tls, root, both = chain
        with serve(pr.tracker.answer, tls) as api:
            pr.assert_fails(PortalUnavailable, "cannot be verified", base_url=api.origin, ca_file=root)
            assert api.requests == []
            assert sorted(pr.snapshots(base_url=api.origin, ca_file=both)) == [ONE, TWO]
            pr.assert_fails(PortalUnavailable, "cannot be verified", base_url=api.origin)
