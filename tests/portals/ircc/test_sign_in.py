import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.doubles.ircc import FIREWALL_ANSWER, PASSWORD, UCI, error_reply
from tests.doubles.loopback import reply
from tests.portals.ircc.ircc_account import ONE, TWO, IrccFixture
from watcher.errors import (
    AccessBlocked,
    AccountLocked,
    CodeNeeded,
    PortalUnavailable,
    ReadFailed,
    SignInRejected,
    UnexpectedAnswer,
)
from watcher.portals import find


class TestSignIn:
    def test_password_is_submitted_once_and_the_refresh_token_is_used_for_months(self, pr: IrccFixture) -> None:
        for _ in range(180):
            assert sorted(pr.snapshots()) == [ONE, TWO]
            pr.fakes.advance(timedelta(hours=12))
        assert len(pr.cognito.submitted_passwords) == 1
        assert len(pr.cognito.refreshes) == 179
        assert pr.fakes.sign_in_guard.submissions == [True]
        assert pr.fakes.sign_in_guard.acceptances == 1

    def test_token_valid_for_ten_more_minutes_is_used_without_a_request(self, pr: IrccFixture) -> None:
        pr.read()
        pr.fakes.advance(timedelta(minutes=49))
        pr.read()
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (1, 0)
        pr.fakes.advance(timedelta(minutes=2))
        pr.read()
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (1, 1)

    def test_rotated_refresh_token_replaces_the_old_one(self, pr: IrccFixture) -> None:
        pr.cognito.rotates_refresh_tokens = True
        for _ in range(5):
            pr.read()
            pr.fakes.advance(timedelta(hours=2))
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (1, 4)

    def test_revoked_refresh_token_leads_to_one_password_submission(self, pr: IrccFixture) -> None:
        pr.read()
        pr.cognito.refresh_tokens.clear()
        pr.fakes.advance(timedelta(hours=2))
        assert sorted(pr.snapshots()) == [ONE, TWO]
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (2, 1)

    @pytest.mark.parametrize(
        "fault",
        [
            reply(503),
            reply(429),
            FIREWALL_ANSWER,
            error_reply("ForbiddenException"),
            error_reply("TooManyRequestsException"),
            error_reply("InternalErrorException", status=500),
            error_reply("ResourceNotFoundException"),
            reply(200, b"<html>maintenance</html>"),
            reply(200, b"{}"),
            reply(200, b'{"ChallengeName": "SMS_MFA"}'),
        ],
    )
    def test_refresh_that_fails_for_another_reason_submits_no_password(self, pr: IrccFixture, fault: bytes) -> None:
        pr.read()
        pr.fakes.advance(timedelta(hours=2))
        pr.cognito.faults.append(fault)
        with pytest.raises(ReadFailed):
            pr.read()
        assert len(pr.cognito.submitted_passwords) == 1
        assert sorted(pr.snapshots()) == [ONE, TWO]
        assert len(pr.cognito.submitted_passwords) == 1

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"client_id": 3}', b"[" * 100_000])
    def test_damaged_session_is_ignored(self, pr: IrccFixture, content: bytes) -> None:
        pr.fakes.session.content = content
        assert sorted(pr.snapshots()) == [ONE, TWO]
        assert len(pr.cognito.submitted_passwords) == 1

    def test_session_of_another_user_or_app_is_not_used(self, pr: IrccFixture) -> None:
        pr.read()
        pr.cognito.users["1100000009"] = "another"
        pr.assert_fails(SignInRejected, username="1100000009", password="not this")
        assert pr.cognito.submitted_passwords == [PASSWORD, "not this"]
        assert pr.cognito.refreshes == []

    def test_saved_token_that_was_tampered_with_is_refreshed(self, pr: IrccFixture) -> None:
        pr.read()
        saved = json.loads(pr.fakes.session.content or b"")
        pr.fakes.session.content = json.dumps({**saved, "id_token": "a.b\r\nX-Evil: 1.c"}).encode()
        assert sorted(pr.snapshots()) == [ONE, TWO]
        assert (len(pr.cognito.submitted_passwords), len(pr.cognito.refreshes)) == (1, 1)

    def test_sign_in_guard_prevents_submitting_the_password(self, pr: IrccFixture) -> None:
        pr.fakes.sign_in_guard.rejects = True
        pr.assert_fails(SignInRejected, "rejected before")
        assert pr.servers.auth.requests == []

    def test_submission_is_recorded_before_it_is_sent_and_the_session_saved_before_acceptance(
        self, pr: IrccFixture
    ) -> None:
        order: list[str] = []

        class RecordingGuard:
            def before_submission(self, *, counts: bool = True) -> None:
                order.append(f"submission {counts} {len(pr.cognito.submitted_passwords)}")

            def accepted(self) -> None:
                order.append(f"accepted {pr.fakes.session.content is not None}")

        with find("ircc").open(pr.account(), replace(pr.fakes.context(), sign_in_guard=RecordingGuard())) as reader:
            assert len(list(reader.read())) == 2
        assert order == ["submission True 0", "accepted True"]

    def test_password_goes_only_to_the_sign_in_service(self, pr: IrccFixture) -> None:
        pr.read()
        assert [PASSWORD.encode() in request.body for request in pr.servers.auth.requests] == [True]
        for request in pr.servers.api.requests:
            assert PASSWORD.encode() not in request.body
            assert request.headers["authorization"].startswith("Bearer ey")


class TestRefusals:
    def test_wrong_password_is_submitted_once_and_not_shown(self, pr: IrccFixture) -> None:
        pr.assert_fails(SignInRejected, "did not accept", password="not-the-password")
        assert pr.cognito.submitted_passwords == ["not-the-password"]
        assert pr.fakes.sign_in_guard.acceptances == 0
        assert pr.fakes.session.content is None

    def test_locked_account_error_says_how_long_and_what_to_do(self, pr: IrccFixture) -> None:
        pr.cognito.locked_until = pr.fakes.clock.now() + timedelta(minutes=15)
        pr.assert_fails(AccountLocked, "15 minutes")

    @pytest.mark.parametrize(
        ("answer", "error", "message"),
        [
            (error_reply("UserNotFoundException", "User does not exist."), SignInRejected, "did not accept"),
            (error_reply("com.amazon#NotAuthorizedException:x", "Incorrect"), SignInRejected, "did not accept"),
            (error_reply("NotAuthorizedException", "User is disabled."), AccountLocked, "disabled"),
            (
                error_reply("UserLambdaValidationException", "PreAuthentication failed"),
                SignInRejected,
                "did not accept",
            ),
            (error_reply("PasswordResetRequiredException"), CodeNeeded, "new password"),
            (
                error_reply("UserNotConfirmedException"),
                CodeNeeded,
                "registration of this tracker account is not complete",
            ),
            (error_reply("ForbiddenException"), PortalUnavailable, "firewall"),
            (error_reply("InvalidParameterException"), UnexpectedAnswer, "the tracker may have changed"),
            (error_reply("ResourceNotFoundException"), UnexpectedAnswer, "the tracker may have changed"),
            (reply(400, b"<html>no</html>"), PortalUnavailable, "firewall"),
            (reply(202, b"", x_amzn_waf_action="challenge"), AccessBlocked, "firewall"),
            (FIREWALL_ANSWER, PortalUnavailable, "Your password is not the problem"),
            (reply(503), PortalUnavailable, "HTTP 503"),
            (reply(302, b"", location="https://evil.example/"), PortalUnavailable, "firewall"),
            (reply(200, b"<html>hello</html>"), UnexpectedAnswer, "HTML"),
            (reply(200, b"[]"), UnexpectedAnswer, "an unknown format"),
            (reply(200, b"{}"), UnexpectedAnswer, "neither tokens nor a further step"),
            (reply(200, b'{"AuthenticationResult": {"IdToken": "x"}}'), UnexpectedAnswer, "did not send all tokens"),
            (
                reply(200, b'{"AuthenticationResult": {"IdToken": "x", "RefreshToken": "y"}}'),
                UnexpectedAnswer,
                "is damaged",
            ),
        ],
    )
    def test_each_answer_has_its_error(
        self, pr: IrccFixture, answer: bytes, error: type[ReadFailed], message: str
    ) -> None:
        pr.cognito.faults.append(answer)
        failed = pr.assert_fails(error, message)
        assert type(failed) is error or error is SignInRejected
        assert len(pr.cognito.submitted_passwords) == 1
        assert pr.fakes.sign_in_guard.acceptances == 0

    def test_wait_requested_by_the_service_has_a_duration(self, pr: IrccFixture) -> None:
        pr.cognito.faults.append(error_reply("TooManyRequestsException"))
        failed = pr.assert_fails(PortalUnavailable)
        assert isinstance(failed, PortalUnavailable)
        assert failed.retry_after == timedelta(minutes=15)

    @pytest.mark.parametrize(
        ("challenge", "message"),
        [
            ("NEW_PASSWORD_REQUIRED", "a new password"),
            ("SMS_MFA", "sent to your phone"),
            ("SOMETHING_NEW", "does not know"),
        ],
    )
    def test_challenge_needs_a_person(self, pr: IrccFixture, challenge: str, message: str) -> None:
        pr.cognito.challenge = challenge
        pr.assert_fails(CodeNeeded, message)
        assert len(pr.cognito.submitted_passwords) == 1

    @pytest.mark.parametrize(
        ("claims", "message"),
        [
            ({"aud": "another-app"}, r"\(aud\)"),
            ({"aud": None}, r"\(aud\)"),
            ({"token_use": "access"}, r"\(token_use\)"),
            ({"iss": "https://evil.example/ca-central-1_MadeUp000"}, r"\(iss\)"),
            ({"iss": ["x"]}, r"\(iss\)"),
            ({"exp": 1_700_000_000}, "machine's clock"),
            ({"exp": "soon"}, r"\(exp\)"),
            ({"exp": True}, r"\(exp\)"),
            ({"exp": 10**20}, r"\(exp\)"),
        ],
    )
    def test_token_with_wrong_claims_is_not_used(self, pr: IrccFixture, claims: dict[str, Any], message: str) -> None:
        pr.cognito.claims = claims
        pr.assert_fails(UnexpectedAnswer, message)
        assert pr.servers.api.requests == []
        assert pr.fakes.session.content is None


class Moto:
    """A user pool, an app, and a user in Moto's Cognito, an independent implementation."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool: str = self._call("CreateUserPool", PoolName="made-up")["UserPool"]["Id"]
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        app = self._call("CreateUserPoolClient", UserPoolId=self.pool, ClientName="made-up", ExplicitAuthFlows=flows)
        self.client_id: str = app["UserPoolClient"]["ClientId"]

    def add(self, password: str, *, permanent: bool = True) -> None:
        """Add the user, with a permanent password or one for the first sign-in only."""
        self._call("AdminCreateUser", UserPoolId=self.pool, Username=UCI, MessageAction="SUPPRESS")
        self._call("AdminSetUserPassword", UserPoolId=self.pool, Username=UCI, Password=password, Permanent=permanent)

    def _call(self, operation: str, **parameters: Any) -> Any:
        scope = "Credential=made-up/20261122/ca-central-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=x"
        request = Request(  # noqa: S310 - loopback
            self.url,
            json.dumps(parameters).encode(),
            {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
                "Authorization": f"AWS4-HMAC-SHA256 {scope}",
            },
        )
        with urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
            return json.load(answer)


@pytest.fixture(scope="module")
def moto_server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - the import takes seconds, and only these tests need it

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class TestMoto:
    """Sign-in against an independent Cognito. It uses the machine's clock, so the fakes use it, too."""

    @pytest.fixture
    def moto(self, moto_server: str) -> Moto:
        return Moto(moto_server)

    @pytest.fixture
    def case(self, pr: IrccFixture, moto: Moto) -> IrccFixture:
        pr.fakes.clock.current = datetime.now(UTC)
        pr.keys = {"auth_url": moto.url, "client_id": moto.client_id, "password": PASSWORD}
        pr.tracker.accepts_any_token = True
        return pr

    def test_password_then_saved_token_then_refresh_token(self, case: IrccFixture, moto: Moto) -> None:
        moto.add(PASSWORD)
        assert sorted(case.snapshots()) == [ONE, TWO]
        saved = json.loads(case.fakes.session.content or b"")
        assert sorted(case.snapshots()) == [ONE, TWO]
        assert json.loads(case.fakes.session.content or b"") == saved
        case.fakes.advance(timedelta(minutes=55))
        assert sorted(case.snapshots()) == [ONE, TWO]
        renewed = json.loads(case.fakes.session.content or b"")
        assert renewed["id_token"] != saved["id_token"]
        assert renewed["refresh_token"] == saved["refresh_token"]
        assert case.fakes.sign_in_guard.submissions == [True]

    def test_wrong_password_is_rejected(self, case: IrccFixture, moto: Moto) -> None:
        moto.add("Another-password-1")
        case.assert_fails(SignInRejected, "did not accept")
        assert case.fakes.sign_in_guard.submissions == [True]

    def test_unknown_user_is_rejected(self, case: IrccFixture) -> None:
        case.assert_fails(SignInRejected, "did not accept")

    def test_temporary_password_needs_a_person(self, case: IrccFixture, moto: Moto) -> None:
        moto.add(PASSWORD, permanent=False)
        case.assert_fails(CodeNeeded, "a new password")

    def test_client_id_of_another_pool_is_an_unexpected_answer(self, case: IrccFixture, moto: Moto) -> None:
        moto.add(PASSWORD)
        case.assert_fails(UnexpectedAnswer, client_id="another0app0of0nobody")
