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


def readings(account: UscisApiAccount, fakes: PortalFakes, language: str = "en") -> list[CaseResult]:
    with find("uscis-api").open(account, fakes.context(language)) as reader:
        return list(reader.read())


def errors(found: list[CaseResult]) -> list[ReadFailed]:
    return [reading.error for reading in found if isinstance(reading, CaseFailed)]


def snapshots(found: list[CaseResult]) -> dict[str, Snapshot]:
    return {reading.snapshot.case_number: reading.snapshot for reading in found if isinstance(reading, CaseRead)}


class TestReading:
    def test_every_case_comes_home(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        found = readings(account(server, ONE, TWO), fakes)
        assert set(snapshots(found)) == {ONE, TWO}
        one = snapshots(found)[ONE]
        assert (one.stage, one.status, one.form) == (Stage.RECEIVED, "Case Was Received", "I-130")

    def test_the_answer_is_kept_beside_the_snapshot(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        (reading,) = readings(account(server), fakes)
        assert isinstance(reading, CaseRead)
        assert read(reading.answers, "en").case_number == ONE

    def test_an_unknown_case_leaves_the_others_alone(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        found = readings(account(server, ONE, "EAC0000000000", TWO), fakes)
        (error,) = errors(found)
        assert isinstance(error, CaseNotFound)
        assert "typo" in str(error)
        assert "1367" in str(error)
        assert set(snapshots(found)) == {ONE, TWO}

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
    def test_what_goes_wrong_with_one_case_stays_with_it(
        self,
        api: CaseStatusApi,
        server: LoopbackServer,
        fakes: PortalFakes,
        status: int,
        body: bytes,
        kind: type[ReadFailed],
    ) -> None:
        api.override = lambda receipt, _: reply(status, body) if receipt == ONE else None
        found = readings(account(server, ONE, TWO), fakes)
        (unread,) = (reading for reading in found if isinstance(reading, CaseFailed))
        assert (unread.case_number, type(unread.error)) == (ONE, kind) or isinstance(unread.error, kind)
        assert ONE not in str(unread.error)
        assert set(snapshots(found)) == {TWO}
        if kind is UnexpectedAnswer:
            assert unread.answers == {"case-status": body}

    def test_spanish_is_asked_of_the_same_answer(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        one = snapshots(readings(account(server), fakes, "es"))[ONE]
        assert (one.status, one.status_key, one.language) == ("Caso Fue Recibido", "Case Was Received", "es")
        assert one.stage is Stage.RECEIVED

    def test_several_requests_are_in_flight_over_few_connections(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        together = Barrier(3)

        def meet(_receipt: str, nth: int) -> None:
            if nth <= 3:
                together.wait(10)

        api.override = meet
        found = readings(account(server, *MANY, concurrency=3), fakes)
        assert len(snapshots(found)) == 20
        assert api.most_in_flight == 3
        assert server.connections <= 4

    def test_results_come_as_they_arrive(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        with find("uscis-api").open(account(server, *MANY, concurrency=1), fakes.context()) as reader:
            assert isinstance(next(iter(reader.read())), CaseRead)

    def test_the_demonstration_header_is_sent_where_set(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        readings(account(server, demo_id=17), fakes)
        readings(account(server), fakes)
        assert [asked.headers.get("demo_id") for asked in server.requests if asked.method == "GET"] == ["17", None]

    def test_a_redirect_elsewhere_ends_the_read(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _receipt, _nth: reply(302, Location="https://evil.example/")
        with pytest.raises(ForeignHost, match=r"evil\.example"):
            readings(account(server, ONE, TWO), fakes)


class TestToken:
    def test_one_token_serves_every_case_and_the_next_read(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        readings(account(server, *MANY), fakes)
        fakes.advance(timedelta(minutes=28))
        readings(account(server, *MANY), fakes)
        assert (api.tokens_issued, fakes.sign_in_guard.submissions, fakes.sign_in_guard.acceptances) == (1, [False], 1)

    def test_it_is_renewed_a_minute_before_its_end(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        readings(account(server), fakes)
        fakes.advance(timedelta(minutes=29))
        readings(account(server), fakes)
        assert api.tokens_issued == 2

    def test_a_refused_one_is_renewed_once(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        readings(account(server), fakes)
        api.valid_tokens.clear()
        found = readings(account(server, *MANY), fakes)
        assert len(snapshots(found)) == 20
        assert api.tokens_issued == 2

    def test_where_new_ones_are_refused_too_the_read_ends(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _receipt, _nth: reply(401, b'{"code":401,"message":"Invalid Access Token"}')
        with pytest.raises(UnexpectedAnswer, match="401"):
            readings(account(server, *MANY), fakes)
        assert api.tokens_issued == 2
        assert fakes.session.content is None

    def test_403_ends_the_read(self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes) -> None:
        api.override = lambda _receipt, _nth: reply(403, b"{}")
        with pytest.raises(UnexpectedAnswer, match="403"):
            readings(account(server, *MANY, concurrency=1), fakes)
        assert len(api.case_requests) == 1

    def test_a_refused_credential_is_submitted_once_and_asks_for_a_person(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        with pytest.raises(SignInRejected, match="client id and secret") as caught:
            readings(account(server, *MANY, client_secret="typo"), fakes)
        assert (len(server.requests), fakes.sign_in_guard.submissions, fakes.sign_in_guard.acceptances) == (
            1,
            [False],
            0,
        )
        assert api.case_requests == []
        assert "typo" not in str(caught.value)

    def test_behind_a_closed_gate_nothing_is_submitted(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        fakes.sign_in_guard.rejects = True
        with pytest.raises(SignInRejected):
            readings(account(server), fakes)
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
    def test_whatever_else_the_token_endpoint_says_ends_the_read(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes, wire: bytes, kind: type[ReadFailed]
    ) -> None:
        api.token_answer = wire
        with pytest.raises(kind):
            readings(account(server, *MANY), fakes)
        assert api.case_requests == []
        assert fakes.session.content is None

    @pytest.mark.parametrize("lifetime", ["1800", 1800, "  60 ", None, "soon", -3, 10**400])
    def test_a_lifetime_may_be_text_a_number_or_nonsense(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes, lifetime: object
    ) -> None:
        api.expires_in = lifetime
        readings(account(server, *MANY), fakes)
        assert api.tokens_issued == 1

    def test_a_token_goes_with_the_credential_it_was_given_for(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        readings(account(server), fakes)
        api.client_secret = "rotated"
        readings(account(server, client_secret="rotated"), fakes)
        assert api.tokens_issued == 2
        assert fakes.session.content is not None
        assert b"rotated" not in fakes.session.content

    @given(st.binary())
    def test_a_broken_session_file_is_no_session(self, content: bytes) -> None:
        api, fakes = CaseStatusApi(), PortalFakes()
        api.add_cases(ONE)
        fakes.session.save(content)
        with running(api) as server:
            assert len(snapshots(readings(account(server), fakes))) == 1

    def test_the_secret_goes_nowhere_else_on_a_redirect(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        with serve(lambda _: reply()) as other:
            api.token_answer = reply(307, Location=other.origin)
            with pytest.raises(ForeignHost):
                readings(account(server), fakes)
        assert other.requests == []


class TestLimits:
    def test_a_request_to_slow_down_ends_the_round_at_once(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _, nth: reply(429, b"Spike Arrest Violation", retry_after="3600") if nth == 6 else None
        found = readings(account(server, *MANY, concurrency=1), fakes)
        assert len(snapshots(found)) == 5
        assert len(api.case_requests) == 6
        assert [error.retry_after for error in errors(found) if isinstance(error, PortalUnavailable)] == [
            timedelta(hours=1)
        ] * 15

    def test_where_nothing_is_answered_the_rest_is_left_in_peace(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _receipt, _nth: reply(503)
        found = readings(account(server, *MANY, concurrency=1), fakes)
        assert len(api.case_requests) == 5
        assert len(errors(found)) == 20

    def test_what_the_day_allows_is_read_and_the_rest_waits_for_midnight_eastern(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        found = readings(account(server, *MANY, daily_requests=8), fakes)
        assert len(snapshots(found)) == len(api.case_requests) == 8
        assert {error.retry_after for error in errors(found) if isinstance(error, PortalUnavailable)} == {
            timedelta(hours=12)
        }
        assert errors(readings(account(server, *MANY, daily_requests=8), fakes))
        assert len(api.case_requests) == 8

    def test_no_case_starves_on_a_small_budget(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        seen: set[str] = set()
        for _ in range(3):
            seen |= set(snapshots(readings(account(server, *MANY, daily_requests=8), fakes)))
            fakes.advance(timedelta(days=1))
        assert seen == set(MANY)

    def test_the_day_is_that_of_new_york(self, server: LoopbackServer, fakes: PortalFakes) -> None:
        fakes.clock.current = datetime(2026, 7, 1, 3, 59, tzinfo=UTC)
        readings(account(server), fakes)
        fakes.advance(timedelta(minutes=1))
        readings(account(server), fakes)
        assert fakes.quota.used == {"2026-06-30": 1, "2026-07-01": 1}

    def test_what_was_not_used_is_given_back(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        api.override = lambda _, nth: reply(429) if nth == 6 else None
        readings(account(server, *MANY, concurrency=1), fakes)
        assert fakes.quota.used == {"2026-11-22": 6}

    def test_a_renewed_token_counts_each_request(
        self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes
    ) -> None:
        readings(account(server), fakes)
        api.valid_tokens.clear()
        readings(account(server), fakes)
        assert fakes.quota.used == {"2026-11-22": len(api.case_requests)} == {"2026-11-22": 3}

    def test_stopping_ends_the_read_soon(self, api: CaseStatusApi, server: LoopbackServer, fakes: PortalFakes) -> None:
        def stop(_receipt: str, nth: int) -> None:
            if nth == 3:
                fakes.stop.set()

        api.override = stop
        began = time.monotonic()
        with pytest.raises(PortalUnavailable, match="stopping"):
            readings(account(server, *MANY, requests_per_second=20, concurrency=2), fakes)
        assert time.monotonic() - began < 4
        assert len(api.case_requests) < 6


def test_the_practice_portal_is_read_over_https(fakes: PortalFakes) -> None:
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
        assert set(snapshots(readings(settings, fakes))) == {number}
        portal.tokens.revoke_tokens()
        assert set(snapshots(readings(settings, fakes))) == {number}
        portal.tokens.change_client_secret("another")
        portal.tokens.revoke_tokens()
        with pytest.raises(SignInRejected):
            readings(settings, fakes)
