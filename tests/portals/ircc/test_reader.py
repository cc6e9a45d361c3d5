import json
import ssl
from pathlib import Path

import pytest
import trustme

from tests.doubles.ircc import FIREWALL_ANSWER, immigration
from tests.doubles.loopback import reply, serve
from tests.portals.ircc.ircc_case import ONE, TWO, IrccFixture
from watcher.errors import CaseNotFound, PortalUnavailable, ReadFailed, UnexpectedAnswer
from watcher.portal import CaseFailed, CaseRead


class TestDataService:
    def test_a_token_refused_in_the_middle_is_renewed_once_without_the_password(self, pr: IrccFixture) -> None:
        pr.read()
        pr.cognito.id_tokens.clear()
        assert sorted(pr.snapshots()) == [ONE, TWO]
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (1, 1)

    def test_a_service_that_refuses_every_token_is_unavailable_and_costs_no_password(self, pr: IrccFixture) -> None:
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
    def test_a_list_that_cannot_be_read_ends_the_read(
        self, pr: IrccFixture, answer: bytes, error: type[ReadFailed]
    ) -> None:
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
    def test_one_application_that_cannot_be_read_does_not_stop_the_others(
        self, pr: IrccFixture, answer: bytes, error: type[ReadFailed]
    ) -> None:
        pr.tracker.broken[ONE] = answer
        first, second = pr.read()
        assert isinstance(first, CaseFailed)
        assert (first.case_number, type(first.error)) == (ONE, error)
        assert isinstance(second, CaseRead)

    def test_a_strange_answer_is_handed_on_for_repair(self, pr: IrccFixture) -> None:
        pr.tracker.broken[ONE] = reply(200, b'{"strange": 1}')
        (first, _) = pr.read()
        assert isinstance(first, CaseFailed)
        assert first.answers["get-application-details"] == b'{"strange": 1}'

    def test_being_asked_to_wait_ends_the_read_for_all(self, pr: IrccFixture) -> None:
        pr.tracker.broken[ONE] = reply(429, retry_after="60")
        pr.assert_fails(PortalUnavailable, "slow down")
        assert len(pr.servers.api.requests) == 2

    def test_an_empty_list_where_cases_are_known_is_half_an_answer(self, pr: IrccFixture) -> None:
        pr.tracker.applications.clear()
        pr.assert_fails(UnexpectedAnswer, "empty", known=frozenset({ONE}))
        pr.assert_fails(UnexpectedAnswer, "empty", cases=[ONE])

    def test_an_account_without_applications_is_read_to_nothing(self, pr: IrccFixture) -> None:
        pr.tracker.applications.clear()
        assert pr.read() == []

    def test_a_stopping_daemon_ends_the_read(self, pr: IrccFixture) -> None:
        pr.read()
        pr.world.stop.set()
        pr.assert_fails(PortalUnavailable, "stopping")


class TestTls:
    """The data service leaves an intermediate certificate out of the chain it sends; `ca_file` fills the gap."""

    @pytest.fixture
    def chain(self, tmp_path: Path) -> tuple[ssl.SSLContext, Path, Path]:
        """A server that sends its own certificate alone, the root by itself, and the root with the intermediate."""
        root = trustme.CA()
        between = root.create_child_ca()
        leaf = between.issue_cert("127.0.0.1")
        leaf.cert_chain_pems[0].write_to_path(tmp_path / "leaf.pem")
        leaf.private_key_pem.write_to_path(tmp_path / "leaf.key")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
        root.cert_pem.write_to_path(tmp_path / "root.pem")
        root.cert_pem.write_to_path(tmp_path / "both.pem")
        between.cert_pem.write_to_path(tmp_path / "both.pem", append=True)
        return tls, tmp_path / "root.pem", tmp_path / "both.pem"

    def test_the_missing_intermediate_certificate_can_be_added_and_verification_stays_on(
        self, pr: IrccFixture, chain: tuple[ssl.SSLContext, Path, Path]
    ) -> None:
        tls, root, both = chain
        with serve(pr.tracker.answer, tls) as api:
            pr.assert_fails(PortalUnavailable, "could not be verified", base_url=api.origin, ca_file=root)
            assert api.requests == []
            assert sorted(pr.snapshots(base_url=api.origin, ca_file=both)) == [ONE, TWO]
            pr.assert_fails(PortalUnavailable, "could not be verified", base_url=api.origin)
