import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.doubles.case_status_api import CaseStatusApi, case_status, running
from tests.doubles.loopback import LoopbackServer, reply, serve
from tests.portals.context import PortalFakes
from watcher.errors import CaseNotFound, ForeignHost, PortalUnavailable, ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.model.case import Snapshot, Stage
from watcher.portal import CaseFailed, CaseRead, CaseResult
from watcher.portals import find
from watcher.portals.uscis_api.account import UscisApiAccount
from watcher.portals.uscis_api.snapshot import read
from watcher.practice.portal import PracticePortal
from watcher.practice.story import ADJUSTMENT_OF_STATUS

ONE, TWO, THREE = "EAC9999103403", "LIN9999106498", "IOE0000000001"
MANY = tuple(f"IOE{number:010}" for number in range(1, 21))


@pytest.fixture
def api() -> CaseStatusApi:
    api = CaseStatusApi()
    api.add_cases(ONE, TWO, THREE, *MANY)
    return api


@pytest.fixture
def server(api: CaseStatusApi) -> Iterator[LoopbackServer]:
    with running(api) as server:
        yield server


@pytest.fixture
def fakes() -> PortalFakes:
    return PortalFakes()


def account(server: LoopbackServer, *cases: str, **keys: Any) -> UscisApiAccount:
    keys = {
        "name": "office",
        "portal": "uscis-api",
        "client_id": "made-up-id",
        "client_secret": "made-up-secret",
        "base_url": server.origin,
        "cases": cases or (ONE,),
        "requests_per_second": 1e6,
        **keys,
    }
    return UscisApiAccount(**keys)


def check(account: UscisApiAccount, fakes: PortalFakes, language: str = "en") -> list[CaseResult]:
    with find("uscis-api").open(account, fakes.context(language)) as reader:
        return list(reader.read())


def errors(results: list[CaseResult]) -> list[ReadFailed]:
    return [result.error for result in results if isinstance(result, CaseFailed)]


def snapshots(results: list[CaseResult]) -> dict[str, Snapshot]:
    return {result.snapshot.case_number: result.snapshot for result in results if isinstance(result, CaseRead)}


class TestCheck:
    def test_every_case_is_reported(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        results = check(account(server, ONE, TWO), fakes)
        assert set(snapshots(results)) == {ONE, TWO}
        snapshot = snapshots(results)[ONE]
        assert (snapshot.stage, snapshot.status, snapshot.form) == (Stage.RECEIVED, "Case Was Received", "I-130")

    def test_result_includes_the_raw_answer(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        (result,) = check(account(server), fakes)
        assert isinstance(result, CaseRead)
        assert read(result.answers, "en").case_number == ONE

    def test_unknown_case_does_not_affect_the_others(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        results = check(account(server, ONE, "EAC0000000000", TWO), fakes)
        (error,) = errors(results)
        assert isinstance(error, CaseNotFound)
        assert "typo" in str(error)
        assert "1367" in str(error)
        assert set(snapshots(results)) == {ONE, TWO}

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (404, b'{"error":{"code":"404","message":"unknown"}}', CaseNotFound),
            (404, b'{"errors":[{"code":"x","message":"unknown"}]}', CaseNotFound),
            (404, b"<html>no such page</html>", UnexpectedAnswer),
            (404, b'{"fault":{"faultstring":"Unable to identify proxy"}}', UnexpectedAnswer),
            (422, b'{"message":"The application receipt number is not formatted correctly"}', UnexpectedAnswer),
            (400, b"{}", UnexpectedAnswer),
            (301, b"", UnexpectedAnswer),
            (200, b"<html>maintenance</html>", UnexpectedAnswer),
            (200, b'{"case_status": {"x": "<a href="y">"}}', UnexpectedAnswer),
            (200, b'{"message": "hello"}', UnexpectedAnswer),
            (200, b"", UnexpectedAnswer),
            (200, json.dumps(case_status(TWO)).encode(), UnexpectedAnswer),
            (500, b"", PortalUnavailable),
            (502, b"Bad gateway", PortalUnavailable),
            (503, b'\n\n  {"error":{"code":"503","message":"unavailable"}}', PortalUnavailable),
        ],
    )
    def test_failure_of_one_case_does_not_affect_the_others(
        self,
        api: CaseStatusApi,
        server: LoopbackServer,
        fakes: PortalFakes,
        status: int,
        body: bytes,
        kind: type[ReadFailed],
    ) -> None:
        api.override = lambda receipt, _: reply(status, body) if receipt == ONE else None
        results = check(account(server, ONE, TWO), fakes)
        (failure,) = (result for result in results if isinstance(result, CaseFailed))
        assert (failure.case_number, type(failure.error)) == (ONE, kind) or isinstance(failure.error, kind)
        assert ONE not in str(failure.error)
        assert set(snapshots(results)) == {TWO}
        if kind is UnexpectedAnswer:
            assert failure.answers == {"case-status": body}

    def test_spanish_status_is_in_the_same_answer(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        snapshot = snapshots(check(account(server), fakes, "es"))[ONE]
        assert (snapshot.status, snapshot.status_key, snapshot.language) == (
            "Caso Fue Recibido",
            "Case Was Received",
            "es",
        )
        assert snapshot.stage is Stage.RECEIVED

    def test_concurrent_requests_share_few_connections(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        together = Barrier(3)

        def meet(_receipt: str, nth: int) -> None:
            if nth <= 3:
                together.wait(10)

        api.override = meet
        results = check(account(server, *MANY, concurrency=3), fakes)
        assert len(snapshots(results)) == 20
        assert api.most_in_flight == 3
        assert server.connections <= 4

    def test_results_are_yielded_as_they_arrive(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        with find("uscis-api").open(account(server, *MANY, concurrency=1), fakes.context()) as reader:
            assert isinstance(next(iter(reader.read())), CaseRead)

    def test_demo_id_header_is_sent_if_set(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        check(account(server, demo_id=17), fakes)
        check(account(server), fakes)
        assert [request.headers.get("demo_id") for request in server.requests if request.method == "GET"] == [
            "17",
            None,
        ]

    def test_redirect_to_a_foreign_host_ends_the_check(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _receipt, _nth: reply(302, Location="https://evil.example/")
        with pytest.raises(ForeignHost, match=r"evil\.example"):
            check(account(server, ONE, TWO), fakes)


class TestToken:
    def test_one_token_serves_every_case_and_the_next_check(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        check(account(server, *MANY), fakes)
        fakes.advance(timedelta(minutes=28))
        check(account(server, *MANY), fakes)
        assert (api.tokens_issued, fakes.sign_in_guard.submissions, fakes.sign_in_guard.acceptances) == (1, [False], 1)

    def test_token_is_renewed_a_minute_before_it_expires(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        check(account(server), fakes)
        fakes.advance(timedelta(minutes=29))
        check(account(server), fakes)
        assert api.tokens_issued == 2

    def test_rejected_token_is_replaced_once(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        check(account(server), fakes)
        api.valid_tokens.clear()
        results = check(account(server, *MANY), fakes)
        assert len(snapshots(results)) == 20
        assert api.tokens_issued == 2

    def test_check_ends_if_new_tokens_are_rejected_too(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _receipt, _nth: reply(401, b'{"code":401,"message":"Invalid Access Token"}')
        with pytest.raises(UnexpectedAnswer, match="401"):
            check(account(server, *MANY), fakes)
        assert api.tokens_issued == 2
        assert fakes.session.content is None

    def test_403_ends_the_check(self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes) -> None:
        api.override = lambda _receipt, _nth: reply(403, b"{}")
        with pytest.raises(UnexpectedAnswer, match="403"):
            check(account(server, *MANY, concurrency=1), fakes)
        assert len(api.case_requests) == 1

    def test_rejected_credential_is_submitted_once_and_requires_the_user(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        with pytest.raises(SignInRejected, match="client ID and secret") as caught:
            check(account(server, *MANY, client_secret="typo"), fakes)
        assert (len(server.requests), fakes.sign_in_guard.submissions, fakes.sign_in_guard.acceptances) == (
            1,
            [False],
            0,
        )
        assert api.case_requests == []
        assert "typo" not in str(caught.value)

    def test_nothing_is_submitted_if_the_sign_in_guard_refuses(
        self, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        fakes.sign_in_guard.rejects = True
        with pytest.raises(SignInRejected):
            check(account(server), fakes)
        assert server.requests == []

    @pytest.mark.parametrize(
        ("wire", "kind"),
        [
            (reply(400, b'{"error":"invalid_client"}'), SignInRejected),
            (reply(400, b'{"ErrorCode":"invalid_request"}'), UnexpectedAnswer),
            (reply(400, b"<html>"), UnexpectedAnswer),
            (reply(403, b"<html>"), UnexpectedAnswer),
            (reply(404, b"<html>"), UnexpectedAnswer),
            (reply(200, b"<html>maintenance"), UnexpectedAnswer),
            (reply(200, b"{}"), UnexpectedAnswer),
            (reply(200, b"[]"), UnexpectedAnswer),
            (reply(200, b'{"access_token": 1}'), UnexpectedAnswer),
            (reply(200, b'{"access_token": "with a line\\r\\nbreak"}'), UnexpectedAnswer),
            (reply(503), PortalUnavailable),
            (reply(429, b"", retry_after="60"), PortalUnavailable),
        ],
    )
    def test_any_other_answer_of_the_token_endpoint_ends_the_check(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes, wire: bytes, kind: type[ReadFailed]
    ) -> None:
        api.token_answer = wire
        with pytest.raises(kind):
            check(account(server, *MANY), fakes)
        assert api.case_requests == []
        assert fakes.session.content is None

    @pytest.mark.parametrize("lifetime", ["1800", 1800, "  60 ", None, "soon", -3, 10**400])
    def test_token_lifetime_may_be_text_a_number_or_invalid(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes, lifetime: object
    ) -> None:
        api.expires_in = lifetime
        check(account(server, *MANY), fakes)
        assert api.tokens_issued == 1

    def test_token_is_used_only_with_its_own_credential(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        check(account(server), fakes)
        api.client_secret = "rotated"
        check(account(server, client_secret="rotated"), fakes)
        assert api.tokens_issued == 2
        assert fakes.session.content is not None
        assert b"rotated" not in fakes.session.content

    @given(st.binary())
    def test_damaged_session_file_is_ignored(self, content: bytes) -> None:
        api, fakes = CaseStatusApi(), PortalFakes()
        api.add_cases(ONE)
        fakes.session.save(content)
        with running(api) as server:
            assert len(snapshots(check(account(server), fakes))) == 1

    def test_secret_does_not_follow_a_redirect_to_another_host(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        with serve(lambda _: reply()) as other:
            api.token_answer = reply(307, Location=other.origin)
            with pytest.raises(ForeignHost):
                check(account(server), fakes)
        assert other.requests == []


class TestLimits:
    def test_429_ends_the_check_at_once(self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes) -> None:
        api.override = lambda _, nth: reply(429, b"Spike Arrest Violation", retry_after="3600") if nth == 6 else None
        results = check(account(server, *MANY, concurrency=1), fakes)
        assert len(snapshots(results)) == 5
        assert len(api.case_requests) == 6
        assert [error.retry_after for error in errors(results) if isinstance(error, PortalUnavailable)] == [
            timedelta(hours=1)
        ] * 15

    def test_remaining_cases_are_skipped_after_five_unanswered_requests(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _receipt, _nth: reply(503)
        results = check(account(server, *MANY, concurrency=1), fakes)
        assert len(api.case_requests) == 5
        assert len(errors(results)) == 20

    def test_cases_beyond_the_daily_limit_wait_for_midnight_eastern(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        results = check(account(server, *MANY, daily_requests=8), fakes)
        assert len(snapshots(results)) == len(api.case_requests) == 8
        assert {error.retry_after for error in errors(results) if isinstance(error, PortalUnavailable)} == {
            timedelta(hours=12)
        }
        assert errors(check(account(server, *MANY, daily_requests=8), fakes))
        assert len(api.case_requests) == 8

    def test_every_case_is_checked_in_turn_under_a_small_daily_limit(
        self, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        seen: set[str] = set()
        for _ in range(3):
            seen |= set(snapshots(check(account(server, *MANY, daily_requests=8), fakes)))
            fakes.advance(timedelta(days=1))
        assert seen == set(MANY)

    def test_day_of_the_limit_is_that_of_new_york(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        fakes.clock.current = datetime(2026, 7, 1, 3, 59, tzinfo=UTC)
        check(account(server), fakes)
        fakes.advance(timedelta(minutes=1))
        check(account(server), fakes)
        assert fakes.quota.used == {"2026-06-30": 1, "2026-07-01": 1}

    def test_unused_requests_are_given_back(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _, nth: reply(429) if nth == 6 else None
        check(account(server, *MANY, concurrency=1), fakes)
        assert fakes.quota.used == {"2026-11-22": 6}

    def test_each_request_counts_after_a_token_is_replaced(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        check(account(server), fakes)
        api.valid_tokens.clear()
        check(account(server), fakes)
        assert fakes.quota.used == {"2026-11-22": len(api.case_requests)} == {"2026-11-22": 3}

    def test_stopping_ends_the_check_soon(self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes) -> None:
        def stop(_receipt: str, nth: int) -> None:
            if nth == 3:
                fakes.stop.set()

        api.override = stop
        began = time.monotonic()
        with pytest.raises(PortalUnavailable, match="stopping"):
            check(account(server, *MANY, requests_per_second=20, concurrency=2), fakes)
        assert time.monotonic() - began < 4
        assert len(api.case_requests) < 6


def test_practice_portal_is_checked_over_https(fakes: PortalFakes) -> None:
    with PracticePortal(fakes.clock, story=ADJUSTMENT_OF_STATUS) as portal:
        (number, *_) = (record.number for record in portal.cases.records())
        settings = UscisApiAccount(
            name="practice",
            portal="uscis-api",
            client_id=portal.account.client_id,
            client_secret=SecretStr(portal.account.client_secret),
            cases=(number,),
            base_url=portal.base_url,
            ca_file=portal.ca_file,
        )
        assert set(snapshots(check(settings, fakes))) == {number}
        portal.tokens.revoke_tokens()
        assert set(snapshots(check(settings, fakes))) == {number}
        portal.tokens.change_client_secret("another")
        portal.tokens.revoke_tokens()
        with pytest.raises(SignInRejected):
            check(settings, fakes)
