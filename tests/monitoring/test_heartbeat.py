"""The heartbeat, at a small healthchecks server on loopback."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.doubles.loopback import BodyChunks, LoopbackServer, ReceivedRequest, serve
from watcher.model.account_health import ReadOutcome
from watcher.monitoring.heartbeat import Beat, Heartbeat, Rounds, address_of

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"
DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ELSEWHERE = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("url", "start", "good"),
    [
        ("https://hc.example.org/ping/abc", "https://hc.example.org/ping/abc/start", "https://hc.example.org/ping/abc"),
        ("https://hc.example.org/abc/", "https://hc.example.org/abc/start", "https://hc.example.org/abc/"),
        ("http://h:8000/p/a?create=1", "http://h:8000/p/a/start?create=1", "http://h:8000/p/a?create=1"),
        ("https://h", "https://h/start", "https://h"),
    ],
)
def test_start_and_fail_go_below_the_page(url: str, start: str, good: str) -> None:
    assert address_of(url, Beat.START) == start
    assert address_of(url, Beat.FAIL) == start.replace("/start", "/fail")
    assert address_of(url, Beat.GOOD) == good


class TestRounds:
    def test_a_read_by_itself_is_a_round(self) -> None:
        rounds = Rounds()
        assert rounds.began("a") is Beat.START
        assert rounds.ended("a", ReadOutcome.OK) is Beat.GOOD

    def test_reads_that_overlap_are_one_round(self) -> None:
        rounds = Rounds()
        assert [rounds.began("a"), rounds.began("b")] == [Beat.START, None]
        assert [rounds.ended("a", ReadOutcome.OK), rounds.ended("b", ReadOutcome.OK)] == [None, Beat.GOOD]

    @pytest.mark.parametrize("outcome", [outcome for outcome in ReadOutcome if outcome is not ReadOutcome.OK])
    def test_one_account_that_is_not_well_spoils_every_round_until_it_is(self, outcome: ReadOutcome) -> None:
        rounds = Rounds()
        rounds.began("a")
        assert rounds.ended("a", outcome) is Beat.FAIL
        rounds.began("b")
        assert rounds.ended("b", ReadOutcome.OK) is Beat.FAIL
        rounds.began("a")
        assert rounds.ended("a", ReadOutcome.OK) is Beat.GOOD

    def test_a_read_that_the_end_of_the_program_cut_off_says_nothing(self) -> None:
        rounds = Rounds()
        rounds.began("a")
        assert rounds.ended("a", None) is None

    def test_an_account_that_was_removed_spoils_nothing(self) -> None:
        rounds = Rounds()
        rounds.began("a")
        rounds.ended("a", ReadOutcome.FAILED)
        rounds.forget_all_but(frozenset({"b"}))
        rounds.began("b")
        assert rounds.ended("b", ReadOutcome.OK) is Beat.GOOD

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(ReadOutcome)), min_size=1))
    def test_every_start_is_followed_by_one_end(self, reads: list[tuple[str, ReadOutcome]]) -> None:
        rounds, said = Rounds(), []
        for account, outcome in reads:
            said += [rounds.began(account), rounds.ended(account, outcome)]
        assert said[::2] == [Beat.START] * len(reads)
        assert set(said[1::2]) <= {Beat.GOOD, Beat.FAIL}
        assert (said[-1] is Beat.GOOD) == (set(dict(reads).values()) == {ReadOutcome.OK})


class Paused:
    """Passes time without waiting, and remembers how much."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> None:
        self.seconds.append(seconds)


@contextmanager
def beating(url: str, pauses: Paused) -> Iterator[Heartbeat]:
    """A heartbeat that has said everything when the context ends."""
    heartbeat = Heartbeat(SecretStr(url), wait=pauses.wait)
    heartbeat.start()
    yield heartbeat
    heartbeat.stop()
    heartbeat._thread.join(20)
    assert not heartbeat._thread.is_alive()


def targets(server: LoopbackServer) -> list[str]:
    return [asked.target for asked in server.requests]


def test_a_round_is_told_in_order() -> None:
    with serve(lambda _: GOOD) as server:
        with beating(f"{server.origin}/ping/secret", Paused()) as heartbeat:
            for beat in (Beat.START, Beat.GOOD, Beat.START, Beat.FAIL):
                heartbeat.send(beat)
        assert targets(server) == ["/ping/secret/start", "/ping/secret", "/ping/secret/start", "/ping/secret/fail"]
        assert {asked.method for asked in server.requests} == {"GET"}


def test_a_service_that_is_down_is_asked_three_times_and_complained_of_once() -> None:
    answers = [DOWN] * 6 + [GOOD]

    def answer(_: ReceivedRequest) -> BodyChunks:
        return answers.pop(0)

    pauses = Paused()
    with structlog.testing.capture_logs() as logs, serve(answer) as server:
        with beating(f"{server.origin}/ping/secret", pauses) as heartbeat:
            for _ in range(3):
                heartbeat.send(Beat.GOOD)
        assert len(server.requests) == 7
    assert pauses.seconds == [2.0, 10.0] * 2
    told = [(log["event"], log["log_level"]) for log in logs if log["log_level"] != "debug"]
    assert told == [
        ("the heartbeat could not be sent; reads go on without it", "warning"),
        ("the heartbeat is heard again", "info"),
    ]
    assert "secret" not in str(logs)


def test_a_service_that_knows_the_page_alone_is_no_trouble() -> None:
    with structlog.testing.capture_logs() as logs, serve(lambda a: GOOD if a.target == "/p" else DOWN) as server:
        with beating(f"{server.origin}/p", Paused()) as heartbeat:
            heartbeat.send(Beat.START)
            heartbeat.send(Beat.GOOD)
        assert targets(server) == ["/p/start", "/p"]
    assert {log["log_level"] for log in logs} == {"debug"}


def test_a_redirect_is_not_followed() -> None:
    with structlog.testing.capture_logs() as logs, serve(lambda _: ELSEWHERE) as server:
        with beating(f"{server.origin}/ping/secret", Paused()) as heartbeat:
            heartbeat.send(Beat.GOOD)
        assert len(server.requests) == 3
    assert [log["reason"] for log in logs] == ["it answered 302"]


@pytest.mark.parametrize("said", [b"", b"no HTTP at all\r\n\r\n"])
def test_what_is_no_web_server_is_complained_of_without_its_address(said: bytes) -> None:
    with structlog.testing.capture_logs() as logs, serve(lambda _: iter([said])) as server:
        with beating(f"{server.origin}/ping/secret", Paused()) as heartbeat:
            heartbeat.send(Beat.GOOD)
        port = server.origin.rpartition(":")[2]
    assert [log["log_level"] for log in logs] == ["warning"]
    assert "secret" not in str(logs)
    assert port not in str(logs)


def test_beats_that_pile_up_are_dropped_and_hold_nobody_back() -> None:
    heartbeat = Heartbeat(SecretStr("http://127.0.0.1:1/"), wait=Paused().wait)
    began = time.monotonic()
    for _ in range(1000):
        heartbeat.send(Beat.GOOD)
    heartbeat.stop()
    assert time.monotonic() - began < 5


def test_a_certificate_that_nobody_vouches_for_is_not_accepted() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with structlog.testing.capture_logs() as logs, serve(lambda _: GOOD, tls=context) as server:
        with beating(f"{server.origin}/ping/secret", Paused()) as heartbeat:
            heartbeat.send(Beat.GOOD)
        assert server.requests == []
    assert [log["reason"] for log in logs] == ["SSLCertVerificationError"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as made:
        yield made


def test_the_daemon_beats_after_a_good_round(world: ApiWorkspace) -> None:
    heard = threading.Event()

    def answer(asked: ReceivedRequest) -> BodyChunks:
        if asked.target == "/ping/secret":
            heard.set()
        return GOOD

    with serve(answer) as server:
        world.configure(f'[health]\nheartbeat_url = "{server.origin}/ping/secret"')
        daemon = world.popen("run")
        try:
            assert heard.wait(60)
            assert targets(server) == ["/ping/secret/start", "/ping/secret"]
        finally:
            daemon.terminate()
            _, said = daemon.communicate(timeout=20)
    assert "/ping" not in said


def test_a_round_that_fails_is_told_as_one(world: ApiWorkspace) -> None:
    failed = threading.Event()

    def answer(asked: ReceivedRequest) -> BodyChunks:
        if asked.target == "/ping/fail":
            failed.set()
        return GOOD

    with serve(answer) as server:
        world.configure(f'[health]\nheartbeat_url = "{server.origin}/ping"', secret="refused")
        daemon = world.popen("run")
        try:
            assert failed.wait(60)
            assert targets(server)[:2] == ["/ping/start", "/ping/fail"]
        finally:
            daemon.terminate()
            daemon.communicate(timeout=20)
