"""The heartbeat, with a small healthchecks server on loopback."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.doubles.loopback import BodyChunks, LoopbackServer, ReceivedRequest, serve
from watcher.model.account_health import AccountHealth, AccountState, ReadOutcome
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

STATES = {ReadOutcome.FAILED: AccountState.FAILING}
"""The state after an outcome that has another name."""

NOW = datetime(2026, 7, 9, 12, tzinfo=UTC)


class Checks:
    """Checks of accounts that end one after the other, whose health is stored as `watcher.reading` stores it."""

    def __init__(self, **stored: AccountState) -> None:
        self.batches, self.stored = CheckBatches(), stored

    def check(self, account: str, outcome: ReadOutcome) -> list[Beat | None]:
        return [self.batches.started(account), self.finish(account, outcome)]

    def finish(self, account: str, outcome: ReadOutcome | None) -> Beat | None:
        if outcome is not None:
            self.stored[account] = AccountState.OK if outcome in GOOD else AccountState(STATES.get(outcome, outcome))
        return self.batches.finished(account, outcome, self.health)

    def health(self) -> list[AccountHealth]:
        return [AccountHealth(state=state, first_seen_at=NOW) for state in self.stored.values()]


class TestBatches:
    def test_single_check_is_a_batch(self) -> None:
        assert Checks().check("a", ReadOutcome.OK) == [Beat.START, Beat.SUCCESS]

    def test_overlapping_checks_are_one_batch(self) -> None:
        checks = Checks()
        assert [checks.batches.started("a"), checks.batches.started("b")] == [Beat.START, None]
        assert [checks.finish("a", ReadOutcome.OK), checks.finish("b", ReadOutcome.OK)] == [None, Beat.SUCCESS]

    @pytest.mark.parametrize("outcome", sorted(set(ReadOutcome) - GOOD))
    def test_failing_account_fails_every_batch_until_it_succeeds(self, outcome: ReadOutcome) -> None:
        checks = Checks()
        ends = [checks.check("a", outcome), checks.check("b", ReadOutcome.OK), checks.check("a", ReadOutcome.OK)]
        assert [end for _, end in ends] == [Beat.FAIL, Beat.FAIL, Beat.SUCCESS]

    @pytest.mark.parametrize("state", sorted(set(AccountState) - {AccountState.OK, AccountState.NEVER_READ}))
    def test_new_process_knows_from_the_store_which_accounts_fail(self, state: AccountState) -> None:
        assert Checks(a=state).check("b", ReadOutcome.OK)[1] is Beat.FAIL
        assert Checks(a=state).check("a", ReadOutcome.OK)[1] is Beat.SUCCESS

    def test_account_that_another_process_checked_no_longer_fails(self) -> None:
        checks = Checks()
        checks.check("a", ReadOutcome.FAILED)
        checks.stored["a"] = AccountState.OK
        assert checks.check("b", ReadOutcome.OK)[1] is Beat.SUCCESS

    def test_check_whose_result_could_not_be_stored_fails_its_batch(self) -> None:
        batches = CheckBatches()
        batches.started("a")
        assert batches.finished("a", ReadOutcome.FAILED, list) is Beat.FAIL

    def test_account_that_recovers_within_a_batch_does_not_fail_it(self) -> None:
        checks = Checks()
        for account in "abc":
            checks.batches.started(account)
        assert checks.finish("a", ReadOutcome.FAILED) is None
        checks.batches.started("a")
        ends = [checks.finish(account, ReadOutcome.OK) for account in "abc"]
        assert ends == [None, None, Beat.SUCCESS]

    def test_interrupted_check_sends_no_beat(self) -> None:
        checks = Checks()
        checks.batches.started("a")
        assert checks.finish("a", None) is None

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(ReadOutcome)), min_size=1))
    def test_every_start_is_followed_by_one_end(self, outcomes: list[tuple[str, ReadOutcome]]) -> None:
        checks = Checks()
        beats = [beat for account, outcome in outcomes for beat in checks.check(account, outcome)]
        assert beats[::2] == [Beat.START] * len(outcomes)
        assert set(beats[1::2]) <= {Beat.SUCCESS, Beat.FAIL}
        assert (beats[-1] is Beat.SUCCESS) == (set(dict(outcomes).values()) <= GOOD)


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
    assert heartbeat.close(20)


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
    heartbeat.close()
    assert time.monotonic() - start < 5


def test_close_does_not_wait_for_a_service_that_hangs() -> None:
    release = threading.Event()

    def answer(_: ReceivedRequest) -> BodyChunks:
        release.wait(20)
        return OK_ANSWER

    with serve(answer) as server:
        heartbeat = Heartbeat(SecretStr(f"{server.origin}/ping"), wait=FakeWait().wait)
        heartbeat.start()
        heartbeat.send(Beat.SUCCESS)
        start = time.monotonic()
        assert not heartbeat.close(0.2)
        assert time.monotonic() - start < 5
        release.set()
        assert heartbeat.close(20)


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
