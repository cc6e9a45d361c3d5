"""The heartbeat, with a small healthchecks server on loopback."""

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
from watcher.monitoring.heartbeat import Beat, CheckBatches, Heartbeat, beat_url

OK_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("url", "start", "success"),
    [
        ("https://hc.example.org/ping/abc", "https://hc.example.org/ping/abc/start", "https://hc.example.org/ping/abc"),
        ("https://hc.example.org/abc/", "https://hc.example.org/abc/start", "https://hc.example.org/abc/"),
        ("http://h:8000/p/a?create=1", "http://h:8000/p/a/start?create=1", "http://h:8000/p/a?create=1"),
        ("https://h", "https://h/start", "https://h"),
    ],
)
def test_start_and_fail_are_below_the_page(url: str, start: str, success: str) -> None:
    assert beat_url(url, Beat.START) == start
    assert beat_url(url, Beat.FAIL) == start.replace("/start", "/fail")
    assert beat_url(url, Beat.SUCCESS) == success


GOOD = {ReadOutcome.OK, ReadOutcome.PARTIAL}
"""Outcomes of a check that read a case."""


class TestBatches:
    def test_single_check_is_a_batch(self) -> None:
        batches = CheckBatches()
        assert batches.started("a") is Beat.START
        assert batches.finished("a", ReadOutcome.OK) is Beat.SUCCESS

    def test_overlapping_checks_are_one_batch(self) -> None:
        batches = CheckBatches()
        assert [batches.started("a"), batches.started("b")] == [Beat.START, None]
        assert [batches.finished("a", ReadOutcome.OK), batches.finished("b", ReadOutcome.OK)] == [None, Beat.SUCCESS]

    @pytest.mark.parametrize("outcome", sorted(set(ReadOutcome) - GOOD))
    def test_failing_account_fails_every_batch_until_it_succeeds(self, outcome: ReadOutcome) -> None:
        batches = CheckBatches()
        batches.started("a")
        assert batches.finished("a", outcome) is Beat.FAIL
        batches.started("b")
        assert batches.finished("b", ReadOutcome.OK) is Beat.FAIL
        batches.started("a")
        assert batches.finished("a", ReadOutcome.OK) is Beat.SUCCESS

    def test_interrupted_check_sends_no_beat(self) -> None:
        batches = CheckBatches()
        batches.started("a")
        assert batches.finished("a", None) is None

    def test_removed_account_does_not_count(self) -> None:
        batches = CheckBatches()
        batches.started("a")
        batches.finished("a", ReadOutcome.FAILED)
        batches.keep_only(frozenset({"b"}))
        batches.started("b")
        assert batches.finished("b", ReadOutcome.OK) is Beat.SUCCESS

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(ReadOutcome)), min_size=1))
    def test_every_start_is_followed_by_one_end(self, checks: list[tuple[str, ReadOutcome]]) -> None:
        batches, beats = CheckBatches(), []
        for account, outcome in checks:
            beats += [batches.started(account), batches.finished(account, outcome)]
        assert beats[::2] == [Beat.START] * len(checks)
        assert set(beats[1::2]) <= {Beat.SUCCESS, Beat.FAIL}
        assert (beats[-1] is Beat.SUCCESS) == (set(dict(checks).values()) <= GOOD)


class FakeWait:
    """A wait that returns at once and records the seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> None:
        self.seconds.append(seconds)


@contextmanager
def beating(url: str, pauses: FakeWait) -> Iterator[Heartbeat]:
    """A heartbeat that has sent everything when the context ends."""
    heartbeat = Heartbeat(SecretStr(url), wait=pauses.wait)
    heartbeat.start()
    yield heartbeat
    heartbeat.stop()
    heartbeat._thread.join(20)
    assert not heartbeat._thread.is_alive()


def targets(server: LoopbackServer) -> list[str]:
    return [request.target for request in server.requests]


def test_beats_are_sent_in_order() -> None:
    with serve(lambda _: OK_ANSWER) as server:
        with beating(f"{server.origin}/ping/secret", FakeWait()) as heartbeat:
            for beat in (Beat.START, Beat.SUCCESS, Beat.START, Beat.FAIL):
                heartbeat.send(beat)
        assert targets(server) == ["/ping/secret/start", "/ping/secret", "/ping/secret/start", "/ping/secret/fail"]
        assert {request.method for request in server.requests} == {"GET"}


def test_unavailable_service_is_tried_three_times_and_logged_once() -> None:
    answers = [UNAVAILABLE] * 6 + [OK_ANSWER]

    def answer(_: ReceivedRequest) -> BodyChunks:
        return answers.pop(0)

    pauses = FakeWait()
    with structlog.testing.capture_logs() as logs, serve(answer) as server:
        with beating(f"{server.origin}/ping/secret", pauses) as heartbeat:
            for _ in range(3):
                heartbeat.send(Beat.SUCCESS)
        assert len(server.requests) == 7
    assert pauses.seconds == [2.0, 10.0] * 2
    events = [(log["event"], log["log_level"]) for log in logs if log["log_level"] != "debug"]
    assert events == [
        ("heartbeat_failed", "warning"),
        ("heartbeat_restored", "info"),
    ]
    assert "secret" not in str(logs)


def test_service_that_refuses_start_beats_is_not_logged() -> None:
    with (
        structlog.testing.capture_logs() as logs,
        serve(lambda a: OK_ANSWER if a.target == "/p" else UNAVAILABLE) as server,
    ):
        with beating(f"{server.origin}/p", FakeWait()) as heartbeat:
            heartbeat.send(Beat.START)
            heartbeat.send(Beat.SUCCESS)
        assert targets(server) == ["/p/start", "/p"]
    assert {log["log_level"] for log in logs} == {"debug"}


def test_redirect_is_not_followed() -> None:
    with structlog.testing.capture_logs() as logs, serve(lambda _: REDIRECT) as server:
        with beating(f"{server.origin}/ping/secret", FakeWait()) as heartbeat:
            heartbeat.send(Beat.SUCCESS)
        assert len(server.requests) == 3
    assert [log["reason"] for log in logs] == ["it answered 302"]


@pytest.mark.parametrize("answer", [b"", b"no HTTP at all\r\n\r\n"])
def test_invalid_answer_is_logged_without_the_address(answer: bytes) -> None:
    with structlog.testing.capture_logs() as logs, serve(lambda _: iter([answer])) as server:
        with beating(f"{server.origin}/ping/secret", FakeWait()) as heartbeat:
            heartbeat.send(Beat.SUCCESS)
        port = server.origin.rpartition(":")[2]
    assert [log["log_level"] for log in logs] == ["warning"]
    assert "secret" not in str(logs)
    assert port not in str(logs)


def test_excess_beats_are_dropped_without_blocking() -> None:
    heartbeat = Heartbeat(SecretStr("http://127.0.0.1:1/"), wait=FakeWait().wait)
    start = time.monotonic()
    for _ in range(1000):
        heartbeat.send(Beat.SUCCESS)
    heartbeat.stop()
    assert time.monotonic() - start < 5


def test_untrusted_certificate_is_not_accepted() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with structlog.testing.capture_logs() as logs, serve(lambda _: OK_ANSWER, tls=context) as server:
        with beating(f"{server.origin}/ping/secret", FakeWait()) as heartbeat:
            heartbeat.send(Beat.SUCCESS)
        assert server.requests == []
    assert [log["reason"] for log in logs] == ["SSLCertVerificationError"]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[ApiWorkspace]:
    with api_workspace(tmp_path) as workspace:
        yield workspace


def test_daemon_sends_a_beat_after_a_successful_batch(workspace: ApiWorkspace) -> None:
    received = threading.Event()

    def answer(request: ReceivedRequest) -> BodyChunks:
        if request.target == "/ping/secret":
            received.set()
        return OK_ANSWER

    with serve(answer) as server:
        workspace.configure(f'[health]\nheartbeat_url = "{server.origin}/ping/secret"')
        daemon = workspace.popen("run")
        try:
            assert received.wait(60)
            assert targets(server) == ["/ping/secret/start", "/ping/secret"]
        finally:
            daemon.terminate()
            _, log = daemon.communicate(timeout=20)
    assert "/ping" not in log


def test_failed_batch_sends_a_fail_beat(workspace: ApiWorkspace) -> None:
    failed = threading.Event()

    def answer(request: ReceivedRequest) -> BodyChunks:
        if request.target == "/ping/fail":
            failed.set()
        return OK_ANSWER

    with serve(answer) as server:
        workspace.configure(f'[health]\nheartbeat_url = "{server.origin}/ping"', secret="refused")
        daemon = workspace.popen("run")
        try:
            assert failed.wait(60)
            assert targets(server)[:2] == ["/ping/start", "/ping/fail"]
        finally:
            daemon.terminate()
            daemon.communicate(timeout=20)
