import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.doubles.case_status_api import CaseStatusApi, case_status, running
from tests.doubles.loopback import Loopback, reply, serving
from tests.portals.surroundings import World
from watcher.case import Snapshot, Stage
from watcher.errors import CaseNotFound, ForeignHost, PortalUnavailable, ReadFailed, SignInRejected, UnexpectedAnswer
from watcher.portals import CaseRead, CaseUnread, Reading, find
from watcher.portals._limits import RateLimit
from watcher.portals._uscis_api_account import UscisApiAccount
from watcher.portals._uscis_api_answer import canonical_form, error_message, read

ONE, TWO, THREE = "EAC9999103403", "LIN9999106498", "IOE0000000001"
MANY = tuple(f"IOE{number:010}" for number in range(1, 21))


@pytest.fixture
def api() -> CaseStatusApi:
    api = CaseStatusApi()
    api.know(ONE, TWO, THREE, *MANY)
    return api


@pytest.fixture
def server(api: CaseStatusApi) -> Iterator[Loopback]:
    with running(api) as server:
        yield server


@pytest.fixture
def world() -> World:
    return World()


def account(server: Loopback, *cases: str, **keys: Any) -> UscisApiAccount:
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


def readings(account: UscisApiAccount, world: World, language: str = "en") -> list[Reading]:
    with find("uscis-api").open(account, world.surroundings(language)) as reader:
        return list(reader.read())


def errors(found: list[Reading]) -> list[ReadFailed]:
    return [reading.error for reading in found if isinstance(reading, CaseUnread)]


def snapshots(found: list[Reading]) -> dict[str, Snapshot]:
    return {reading.snapshot.case_number: reading.snapshot for reading in found if isinstance(reading, CaseRead)}


class TestSettings:
    def settings(self, **keys: Any) -> UscisApiAccount:
        return account(Loopback(origin=""), **keys)

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            (ONE, ONE),
            ("eac9999103403", ONE),
            ("EAC-99-991-03403", ONE),
            (" EAC 9999 103403 ", ONE),
            ("EAC\N{EN DASH}9999103403", ONE),
            ("abc*123456789", "ABC*123456789"),
        ],
    )
    def test_a_receipt_number_may_be_written_as_on_paper(self, written: str, meant: str) -> None:
        assert self.settings(cases=(written,)).cases == (meant,)

    @pytest.mark.parametrize(
        "written",
        ["", "EAC999910340", "EAC99991034031", "EA99999103403", "EAC*9999103403", "EAC999910340O", "EAC٣٣٣٣٣٣٣٣٣٣"],
    )
    def test_an_impossible_one_is_refused_without_being_repeated(self, written: str) -> None:
        with pytest.raises(ValidationError, match=r"number 2 .*three letters and ten digits") as caught:
            self.settings(cases=(ONE, written))
        assert not written or written not in str(caught.value)

    def test_the_same_number_twice_is_asked_once(self) -> None:
        assert self.settings(cases=(ONE, ONE.lower())).cases == (ONE,)

    @pytest.mark.parametrize("missing", ["client_id", "client_secret", "cases"])
    def test_what_is_needed_must_be_there(self, missing: str) -> None:
        keys = {"client_id": "i", "client_secret": "s", "cases": (ONE,)}
        del keys[missing]
        with pytest.raises(ValidationError, match=missing):
            UscisApiAccount(name="a", portal="uscis-api", **keys)

    @pytest.mark.parametrize("key", ["base_url", "token_url"])
    def test_a_credential_does_not_leave_in_the_clear(self, key: str) -> None:
        with pytest.raises(ValidationError, match=key):
            self.settings(**{key: "http://api.uscis.gov"})

    def test_without_an_address_it_is_the_sandbox_within_its_limits(self) -> None:
        settings = self.settings(base_url="", requests_per_second=None)
        assert settings.origin == "https://api-int.uscis.gov"
        assert settings.token_endpoint == "https://api-int.uscis.gov/oauth/accesstoken"
        assert (settings.rate, settings.daily_limit) == (5, 1_000)

    def test_elsewhere_the_limits_are_those_of_production(self) -> None:
        settings = self.settings(base_url="https://api.uscis.gov", requests_per_second=None)
        assert (settings.rate, settings.daily_limit) == (10, 400_000)

    def test_the_access_letter_wins(self) -> None:
        settings = self.settings(requests_per_second=2, daily_requests=7, token_url="https://sso.example/token")
        assert (settings.rate, settings.daily_limit) == (2, 7)
        assert settings.token_endpoint == "https://sso.example/token"

    def test_the_credential_changes_with_either_half_of_it(self) -> None:
        ours = self.settings()
        assert ours.credential() != self.settings(client_id="other").credential()
        assert ours.credential() != self.settings(client_secret="other").credential()

    def test_the_secret_does_not_show(self) -> None:
        assert "made-up-secret" not in repr(self.settings())


class TestReading:
    def test_every_case_comes_home(self, server: Loopback, world: World) -> None:
        found = readings(account(server, ONE, TWO), world)
        assert set(snapshots(found)) == {ONE, TWO}
        one = snapshots(found)[ONE]
        assert (one.stage, one.status, one.form) == (Stage.RECEIVED, "Case Was Received", "I-130")

    def test_the_answer_is_kept_beside_the_snapshot(self, server: Loopback, world: World) -> None:
        (reading,) = readings(account(server), world)
        assert read(reading.answers, "en").case_number == ONE

    def test_an_unknown_case_leaves_the_others_alone(self, server: Loopback, world: World) -> None:
        found = readings(account(server, ONE, "EAC0000000000", TWO), world)
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
        self, api: CaseStatusApi, server: Loopback, world: World, status: int, body: bytes, kind: type[ReadFailed]
    ) -> None:
        api.overrule = lambda receipt, _: reply(status, body) if receipt == ONE else None
        found = readings(account(server, ONE, TWO), world)
        (unread,) = (reading for reading in found if isinstance(reading, CaseUnread))
        assert (unread.case_number, type(unread.error)) == (ONE, kind) or isinstance(unread.error, kind)
        assert ONE not in str(unread.error)
        assert set(snapshots(found)) == {TWO}
        if kind is UnexpectedAnswer:
            assert unread.answers == {"case-status": body}

    def test_spanish_is_asked_of_the_same_answer(self, server: Loopback, world: World) -> None:
        one = snapshots(readings(account(server), world, "es"))[ONE]
        assert (one.status, one.status_key, one.language) == ("Caso Fue Recibido", "Case Was Received", "es")
        assert one.stage is Stage.RECEIVED

    def test_several_requests_are_in_flight_over_few_connections(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        together = Barrier(3)

        def meet(_receipt: str, nth: int) -> None:
            if nth <= 3:
                together.wait(10)

        api.overrule = meet
        found = readings(account(server, *MANY, concurrency=3), world)
        assert len(snapshots(found)) == 20
        assert api.most_in_flight == 3
        assert server.connections <= 4

    def test_results_come_as_they_arrive(self, server: Loopback, world: World) -> None:
        with find("uscis-api").open(account(server, *MANY, concurrency=1), world.surroundings()) as reader:
            assert next(iter(reader.read())).answers

    def test_the_demonstration_header_is_sent_where_set(self, server: Loopback, world: World) -> None:
        readings(account(server, demo_id=17), world)
        readings(account(server), world)
        assert [asked.headers.get("demo_id") for asked in server.asked if asked.method == "GET"] == ["17", None]

    def test_a_redirect_elsewhere_ends_the_read(self, api: CaseStatusApi, server: Loopback, world: World) -> None:
        api.overrule = lambda _receipt, _nth: reply(302, Location="https://evil.example/")
        with pytest.raises(ForeignHost, match=r"evil\.example"):
            readings(account(server, ONE, TWO), world)


class TestToken:
    def test_one_token_serves_every_case_and_the_next_read(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        readings(account(server, *MANY), world)
        world.pass_time(timedelta(minutes=28))
        readings(account(server, *MANY), world)
        assert (api.issued, world.gate.submissions, world.gate.accepted_ones) == (1, [False], 1)

    def test_it_is_renewed_a_minute_before_its_end(self, api: CaseStatusApi, server: Loopback, world: World) -> None:
        readings(account(server), world)
        world.pass_time(timedelta(minutes=29))
        readings(account(server), world)
        assert api.issued == 2

    def test_a_refused_one_is_renewed_once(self, api: CaseStatusApi, server: Loopback, world: World) -> None:
        readings(account(server), world)
        api.good.clear()
        found = readings(account(server, *MANY), world)
        assert len(snapshots(found)) == 20
        assert api.issued == 2

    def test_where_new_ones_are_refused_too_the_read_ends(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        api.overrule = lambda _receipt, _nth: reply(401, b'{"code":401,"message":"Invalid Access Token"}')
        with pytest.raises(UnexpectedAnswer, match="401"):
            readings(account(server, *MANY), world)
        assert api.issued == 2
        assert world.session.content is None

    def test_403_ends_the_read(self, api: CaseStatusApi, server: Loopback, world: World) -> None:
        api.overrule = lambda _receipt, _nth: reply(403, b"{}")
        with pytest.raises(UnexpectedAnswer, match="403"):
            readings(account(server, *MANY, concurrency=1), world)
        assert len(api.case_requests) == 1

    def test_a_refused_credential_is_submitted_once_and_asks_for_a_person(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        with pytest.raises(SignInRejected, match="client id and secret") as caught:
            readings(account(server, *MANY, client_secret="typo"), world)
        assert (len(server.asked), world.gate.submissions, world.gate.accepted_ones) == (1, [False], 0)
        assert api.case_requests == []
        assert "typo" not in str(caught.value)

    def test_behind_a_closed_gate_nothing_is_submitted(self, server: Loopback, world: World) -> None:
        world.gate.closed = True
        with pytest.raises(SignInRejected):
            readings(account(server), world)
        assert server.asked == []

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
        self, api: CaseStatusApi, server: Loopback, world: World, wire: bytes, kind: type[ReadFailed]
    ) -> None:
        api.token_answer = wire
        with pytest.raises(kind):
            readings(account(server, *MANY), world)
        assert api.case_requests == []
        assert world.session.content is None

    @pytest.mark.parametrize("lifetime", ["1800", 1800, "  60 ", None, "soon", -3, 10**400])
    def test_a_lifetime_may_be_text_a_number_or_nonsense(
        self, api: CaseStatusApi, server: Loopback, world: World, lifetime: object
    ) -> None:
        api.expires_in = lifetime
        readings(account(server, *MANY), world)
        assert api.issued == 1

    def test_a_token_goes_with_the_credential_it_was_given_for(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        readings(account(server), world)
        api.client_secret = "rotated"
        readings(account(server, client_secret="rotated"), world)
        assert api.issued == 2
        assert world.session.content is not None
        assert b"rotated" not in world.session.content

    @given(st.binary())
    def test_a_broken_session_file_is_no_session(self, content: bytes) -> None:
        api, world = CaseStatusApi(), World()
        api.know(ONE)
        world.session.save(content)
        with running(api) as server:
            assert len(snapshots(readings(account(server), world))) == 1

    def test_the_secret_goes_nowhere_else_on_a_redirect(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        with serving(lambda _: reply()) as other:
            api.token_answer = reply(307, Location=other.origin)
            with pytest.raises(ForeignHost):
                readings(account(server), world)
        assert other.asked == []


class TestLimits:
    def test_a_request_to_slow_down_ends_the_round_at_once(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        api.overrule = lambda _, nth: reply(429, b"Spike Arrest Violation", retry_after="3600") if nth == 6 else None
        found = readings(account(server, *MANY, concurrency=1), world)
        assert len(snapshots(found)) == 5
        assert len(api.case_requests) == 6
        assert [error.retry_after for error in errors(found) if isinstance(error, PortalUnavailable)] == [
            timedelta(hours=1)
        ] * 15

    def test_where_nothing_is_answered_the_rest_is_left_in_peace(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        api.overrule = lambda _receipt, _nth: reply(503)
        found = readings(account(server, *MANY, concurrency=1), world)
        assert len(api.case_requests) == 5
        assert len(errors(found)) == 20

    def test_what_the_day_allows_is_read_and_the_rest_waits_for_midnight_eastern(
        self, api: CaseStatusApi, server: Loopback, world: World
    ) -> None:
        found = readings(account(server, *MANY, daily_requests=8), world)
        assert len(snapshots(found)) == len(api.case_requests) == 8
        assert {error.retry_after for error in errors(found) if isinstance(error, PortalUnavailable)} == {
            timedelta(hours=12)
        }
        assert errors(readings(account(server, *MANY, daily_requests=8), world))
        assert len(api.case_requests) == 8

    def test_no_case_starves_on_a_small_budget(self, server: Loopback, world: World) -> None:
        seen: set[str] = set()
        for _ in range(3):
            seen |= set(snapshots(readings(account(server, *MANY, daily_requests=8), world)))
            world.pass_time(timedelta(days=1))
        assert seen == set(MANY)

    def test_the_day_is_that_of_new_york(self, server: Loopback, world: World) -> None:
        world.clock.moment = datetime(2026, 7, 1, 3, 59, tzinfo=UTC)
        readings(account(server), world)
        world.pass_time(timedelta(minutes=1))
        readings(account(server), world)
        assert world.quota.used == {"2026-06-30": 1, "2026-07-01": 1}

    def test_what_was_not_used_is_given_back(self, api: CaseStatusApi, server: Loopback, world: World) -> None:
        api.overrule = lambda _, nth: reply(429) if nth == 6 else None
        readings(account(server, *MANY, concurrency=1), world)
        assert world.quota.used == {"2026-11-22": 6}

    def test_a_renewed_token_counts_each_request(self, api: CaseStatusApi, server: Loopback, world: World) -> None:
        readings(account(server), world)
        api.good.clear()
        readings(account(server), world)
        assert world.quota.used == {"2026-11-22": len(api.case_requests)} == {"2026-11-22": 3}

    def test_stopping_ends_the_read_soon(self, api: CaseStatusApi, server: Loopback, world: World) -> None:
        def stop(_receipt: str, nth: int) -> None:
            if nth == 3:
                world.stop.set()

        api.overrule = stop
        began = time.monotonic()
        with pytest.raises(PortalUnavailable, match="stopping"):
            readings(account(server, *MANY, requests_per_second=20, concurrency=2), world)
        assert time.monotonic() - began < 4
        assert len(api.case_requests) < 6

    def test_requests_are_spaced_evenly_whatever_the_threads_do(self) -> None:
        moment, turns = 100.0, []

        def pause(seconds: float) -> bool:
            nonlocal moment
            moment += seconds
            return False

        limit = RateLimit(10, pause=pause, monotonic=lambda: moment)
        for _ in range(5):
            assert limit.wait()
            turns.append(round(moment, 6))
        moment += 60
        assert limit.wait()
        assert turns == [100.0, 100.1, 100.2, 100.3, 100.4]
        assert moment == pytest.approx(160.4)

    def test_a_wait_that_is_cut_short_says_so(self) -> None:
        limit = RateLimit(10, pause=lambda _: True, monotonic=lambda: 0.0)
        assert [limit.wait(), limit.wait()] == [True, False]


def said(**fields: Any) -> dict[str, bytes]:
    return {"case-status": json.dumps(case_status(ONE, **fields)).encode()}


class TestAnswer:
    @pytest.mark.parametrize(
        ("fields", "since"),
        [
            ({}, date(2023, 9, 5)),
            ({"current_case_status_desc_en": "As of December 1, 2024, your case is ready."}, date(2024, 12, 1)),
            (
                {
                    "current_case_status_desc_en": "We did something.",
                    "current_case_status_desc_es": "El 7 de mayo de 2024, x",
                },
                date(2024, 5, 7),
            ),
            (
                {"current_case_status_desc_en": "x", "current_case_status_desc_es": "El 31 de febrero de 2024, x"},
                date(2023, 9, 6),
            ),
            ({"current_case_status_desc_en": "x", "current_case_status_desc_es": ""}, date(2023, 9, 6)),
            ({"current_case_status_desc_en": "x", "current_case_status_desc_es": None, "modifiedDate": None}, None),
        ],
    )
    def test_the_day_of_a_status_is_in_its_words_then_that_of_the_last_change(
        self, fields: dict[str, Any], since: date | None
    ) -> None:
        assert read(said(**fields), "en").status_since == since

    def test_the_portals_times_have_no_zone(self) -> None:
        snapshot = read(said(), "en")
        assert snapshot.updated_at == datetime(2023, 9, 6, 10, 0)  # noqa: DTZ001 - the portal says none
        assert snapshot.submitted_on == date(2023, 9, 5)

    @pytest.mark.parametrize(
        "absent", [{"submittedDate": None, "modifiedDate": None}, {"submittedDate": "", "modifiedDate": ""}]
    )
    def test_dates_may_be_missing(self, absent: dict[str, Any]) -> None:
        snapshot = read(said(**absent), "en")
        assert (snapshot.updated_at, snapshot.submitted_on) == (None, None)

    @pytest.mark.parametrize(
        "fields",
        [
            {"modifiedDate": "2023-09-05T10:00:00"},
            {"modifiedDate": 1},
            {"modifiedDate": "13-45-2023 10:00:00"},
            {"receiptNumber": "EAC"},
            {"receiptNumber": None},
            {"current_case_status_text_en": None},
            {"current_case_status_text_en": "CASE STATUS"},
            {"current_case_status_text_en": " "},
            {"current_case_status_desc_en": ["x"]},
            {"formType": 130},
            {"hist_case_status": {}},
            {"hist_case_status": [{"date": "2023-09-05"}]},
            {"hist_case_status": [{"date": "09/05/2023", "completed_text_en": "x"}]},
            {"hist_case_status": ["x"]},
        ],
    )
    def test_another_type_than_the_apis_is_never_a_snapshot(self, fields: dict[str, Any]) -> None:
        with pytest.raises(UnexpectedAnswer) as caught:
            read(said(**fields), "en")
        place = next(iter(fields))
        assert place in str(caught.value) or "no status" in str(caught.value)

    def test_without_an_answer_there_is_no_snapshot(self) -> None:
        with pytest.raises(UnexpectedAnswer):
            read({}, "en")

    @pytest.mark.parametrize(
        ("written", "form"),
        [("N400", "N-400"), ("n-400", "N-400"), ("I-129F", "I-129F"), ("I600A", "I-600A"), ("", None), ("none", None)],
    )
    def test_a_form_is_written_with_its_hyphen(self, written: str, form: str | None) -> None:
        assert canonical_form(written) == form

    def test_markup_is_inert(self) -> None:
        text = 'We&#039;ll <a href="https://evil.example">write</a>\n<script>alert(1)</script> &amp; call\x07 you.'
        assert read(said(current_case_status_desc_en=text), "en").description == "We'll write & call you."

    def test_no_history_told_is_not_an_empty_history(self) -> None:
        assert read(said(hist_case_status=None), "en").history is None
        assert read(said(hist_case_status=[]), "en").history == ()

    @given(st.permutations(range(5)))
    def test_the_order_of_the_history_is_not_news(self, order: list[int]) -> None:
        lines = [
            {"date": f"2023-09-0{1 + number % 3}", "completed_text_en": f"Sentence {number % 4}."}
            for number in range(5)
        ]
        turned = [lines[number] for number in order]
        assert read(said(hist_case_status=turned), "en") == read(said(hist_case_status=lines), "en")

    def test_the_same_line_twice_is_two_lines(self) -> None:
        line = {"date": "2023-09-05", "completed_text_en": "We did it again."}
        history = read(said(hist_case_status=[line, line]), "en").history
        assert history is not None
        assert len({entry.key for entry in history}) == 2

    def test_another_language_is_no_news_in_the_history(self) -> None:
        line = {"date": "2023-09-05", "completed_text_en": "We did it.", "completed_text_es": "Lo hicimos."}
        keys = []
        for language in ("en", "es"):
            (entry,) = read(said(hist_case_status=[line]), language).history or ()
            keys.append((entry.key, entry.title))
        assert keys[0][0] == keys[1][0]
        assert [title for _, title in keys] == ["We did it.", "Lo hicimos."]

    def test_where_spanish_is_missing_it_is_english(self) -> None:
        snapshot = read(said(current_case_status_text_es="", current_case_status_desc_es=None), "es")
        assert (snapshot.language, snapshot.status, snapshot.status_key) == ("en", "Case Was Received", None)
        assert snapshot.description == "On September 5, 2023, we received your Form I-130."

    def test_an_unknown_title_is_kept_word_for_word(self) -> None:
        snapshot = read(said(title="Case Was Blessed By The Moon"), "en")
        assert (snapshot.stage, snapshot.status) == (Stage.UNKNOWN, "Case Was Blessed By The Moon")

    def test_the_api_lists_no_pending_items(self) -> None:
        assert read(said(), "en").pending is None

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b'{"code": 401, "message": "a"}', "a"),
            (b'\n\n {"error": {"code": "503", "message": "a"}}', "a"),
            (b'{"error": [{"message": "a"}]}', "a"),
            (b'{"error": "a"}', "a"),
            (b'{"errors": [{"code": "x", "message": "a"}]}', "a"),
            (b"Spike Arrest Violation", None),
            (b"[]", None),
            (b'{"error": []}', None),
            (b'{"message": ""}', None),
        ],
    )
    def test_an_errors_message_is_found_in_every_shape(self, body: bytes, message: str | None) -> None:
        assert error_message(body) == message

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["case_status", "error", "message", "receiptNumber"]), inner)
            ),
        )
    )
    def test_any_json_is_read_or_refused(self, value: Any) -> None:
        body = json.dumps(value).encode()
        error_message(body)
        with pytest.raises(UnexpectedAnswer):
            read({"case-status": body}, "en")
