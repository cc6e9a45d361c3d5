"""Each target of a channel's URL is remembered by itself: what it has accepted, it does not get again."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.delivery.test_outbox_worker import PHONE, outbox_worker
from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve
from tests.doubles.notifier import FakeNotifier
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, TemporaryStore, a_change, a_draft, record_alerts, temporary_store
from tests.support.workspace import REPOSITORY
from watcher.context.context import Context
from watcher.context.wrong_clock import correct_wrong_clock
from watcher.delivery.apprise_notifier import AppriseNotifier
from watcher.delivery.targets import AcceptedTargets
from watcher.errors import DeliveryFailed
from watcher.model.alert import AlertState, HoldReason
from watcher.model.change import ChangeKind, Severity
from watcher.settings import Settings

TEXT: dict[str, Any] = {
    "title": "A title",
    "body": "What happened",
    "html": "<p>What happened</p>",
    "short": "It happened",
}
MINUTE = timedelta(minutes=1)
_TOKENS = """
from watcher.delivery.targets import AcceptedTargets
targets = AcceptedTargets((), lambda _: None)
targets.add((0, (str, "'topic'")))
targets.add((1, (object, repr(object()))))
print(*sorted(targets.tokens))
"""


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def notifier() -> FakeNotifier:
    return FakeNotifier(targets={PHONE: ("good", "bad")}, down={"bad"})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TemporaryStore]:
    with temporary_store(tmp_path) as opened:
        yield opened


def failure(url: str, *accepted_by: str, **text: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as raised:
        AppriseNotifier(timeout=30).send(SecretStr(url), **(TEXT | text), accepted_by=accepted_by)
    return raised.value


def topics_of(server: LoopbackServer) -> Counter[bytes]:
    return Counter(name for request in server.requests for name in (b"good", b"bad") if name in request.body)


def refuse_bad(received: ReceivedRequest) -> bytes:
    return reply(500 if b"bad" in received.body else 200)


def test_topic_that_accepted_a_message_does_not_get_it_again() -> None:
    with serve(refuse_bad) as server:
        url = server.origin.replace("http", "ntfy") + "/good/bad"
        first = failure(url)
        second = failure(url, *first.accepted_by)
        assert second.accepted_by == first.accepted_by
        assert topics_of(server) == {b"good": 1, b"bad": 2}


def test_part_of_a_long_message_that_was_accepted_is_not_sent_again() -> None:
    numbers = count(1)
    with serve(lambda _: reply(500 if next(numbers) == 2 else 200)) as server:
        url = server.origin.replace("http", "ntfy") + "/topic"
        long = "\n".join(f"line {number} {'x' * 90}" for number in range(100))
        error = failure(url, body=long)
        first = len(server.requests)
        assert first > 1
        AppriseNotifier(timeout=30).send(SecretStr(url), **(TEXT | {"body": long}), accepted_by=error.accepted_by)
        assert len(server.requests) == first + 1


def test_url_cannot_make_apprise_repeat_attempts_itself() -> None:
    with serve(refuse_bad) as server:
        failure(server.origin.replace("http", "ntfy") + "/bad?retry=3")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [(429, "60", 60), (503, "5", 5), (500, "60", None), (429, "soon", None), (429, "-1", None)],
)
def test_wait_is_taken_from_the_answer_of_a_busy_service(status: int, retry_after: str, expected: int | None) -> None:
    with serve(lambda _: reply(status, retry_after=retry_after)) as server:
        error = failure(server.origin.replace("http", "json"))
    assert error.retry_after == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(("status", "refused"), [(413, True), (400, True), (500, False), (401, False), (429, False)])
def test_answer_says_whether_the_message_or_the_service_is_at_fault(status: int, refused: bool) -> None:  # noqa: FBT001
    with serve(lambda _: reply(status)) as server:
        assert failure(server.origin.replace("http", "json")).refused is refused


def test_answer_that_breaks_off_counts_by_its_status() -> None:
    with serve(lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort") as server:
        url = server.origin.replace("http", "json") + "/?rto=1"  # seconds until the rest counts as missing
        AppriseNotifier(timeout=30).send(SecretStr(url), **TEXT)


def test_tokens_are_the_same_in_every_process_and_show_no_target() -> None:
    lines = {
        subprocess.run(
            [sys.executable, "-c", _TOKENS], cwd=REPOSITORY, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    }
    assert len(lines) == 1
    assert "topic" not in lines.pop()


def test_only_new_targets_are_reported() -> None:
    reported: list[str] = []
    targets = AcceptedTargets((), reported.append)
    for slot in ((0, (str, "'a'")), (1, (str, "'a'")), (0, (int, "'a'")), (0, (str, "'a'"))):
        targets.add(slot)
        assert slot in targets
    assert len(set(reported)) == len(reported) == 3
    assert (2, (str, "'a'")) not in AcceptedTargets(reported, reported.append)


def test_retry_goes_to_the_targets_that_have_not_accepted_the_alert(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"))
    worker = outbox_worker(database, notifier, clock)
    for _ in range(3):
        worker.deliver_due()
        clock.pass_by(5 * MINUTE)
    assert (notifier.titles(f"{PHONE} good"), notifier.titles(f"{PHONE} bad")) == (["a"], [])
    notifier.down.clear()
    assert worker.deliver_due() == 1
    assert (notifier.titles(f"{PHONE} good"), notifier.titles(f"{PHONE} bad")) == (["a"], ["a"])


def test_target_does_not_get_an_alert_again_that_the_user_retries(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"))
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    database.store.outbox.mark_failed([1], "no", now=NOW, next_attempt_at=None)
    database.store.outbox.retry(clock.now())
    worker.deliver_due()
    assert notifier.titles(f"{PHONE} good") == ["a"]


def test_target_that_is_down_does_not_delay_the_others(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    worker = outbox_worker(database, notifier, clock)
    for title in "abcdef":
        record_alerts(database.store, a_draft(title), change=a_change(ChangeKind.NOTICE_ADDED, subject=title))
        worker.deliver_due()
    assert notifier.titles(f"{PHONE} good") == list("abcdef")
    notifier.down.clear()
    clock.pass_by(timedelta(hours=1))
    assert worker.deliver_due() == 6
    assert notifier.titles(f"{PHONE} bad") == list("abcdef")


def test_digest_that_one_target_accepted_is_tried_again_with_the_same_alerts(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for title in "abc":
        record_alerts(database.store, a_draft(title, hold=HoldReason.DIGEST), number=title)
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    assert len(notifier.titles(f"{PHONE} good")) == 1
    record_alerts(database.store, a_draft("d", hold=HoldReason.DIGEST), number="d")
    notifier.down.clear()
    clock.pass_by(MINUTE)
    assert worker.deliver_due() == 4
    assert len(notifier.titles(f"{PHONE} good")) == 2, "the new alert only"
    assert len(notifier.titles(f"{PHONE} bad")) == 2
    assert [alert.covered_by for alert in reversed(database.store.outbox.list())] == [None, 1, 1, None]


def test_service_that_asks_for_a_pause_is_left_alone_until_then(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    notifier = FakeNotifier(busy={PHONE: timedelta(hours=2)})
    record_alerts(database.store, a_draft("a"))
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    for _ in range(3):
        record_alerts(database.store, a_draft("urgent", severity=Severity.URGENT), now=clock.now(), number="x")
        worker.deliver_due()
        clock.pass_by(30 * MINUTE)
    assert notifier.attempts == [(PHONE, "a")]
    notifier.busy.clear()
    clock.pass_by(31 * MINUTE)
    assert worker.deliver_due() == 4


def test_pause_is_at_most_a_day_and_ends_when_the_clock_was_wrong(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    notifier = FakeNotifier(busy={PHONE: timedelta(days=300)})
    record_alerts(database.store, a_draft("a"))
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    (alert,) = database.store.outbox.list()
    assert alert.next_attempt_at == clock.now() + timedelta(days=1)
    notifier.busy.clear()
    earlier = HandClock(NOW - timedelta(days=30))
    correct_wrong_clock(Context(store=database.store, settings=Settings(state_dir=database.file.parent), clock=earlier))
    earlier.pass_by(10 * MINUTE)
    assert outbox_worker(database, notifier, earlier).deliver_due() == 1
    assert database.store.outbox.counts()[AlertState.SENT] == 1
