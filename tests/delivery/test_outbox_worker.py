"""The outbox worker: alerts reach their channel in order and once; failures are retried, then reported."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from tests.doubles.disk import DiskFault, failing
from tests.doubles.notifier import FakeNotifier
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, TemporaryStore, a_change, a_draft, record_alerts, temporary_store
from watcher.delivery.outbox_worker import OutboxWorker
from watcher.errors import StoreUnusable
from watcher.model.alert import AlertState, HoldReason
from watcher.model.change import ChangeKind, Severity
from watcher.settings import ChannelSettings, Settings

PHONE, AUNT = "json://phone", "json://aunt"
WEEK = timedelta(days=7)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def notifier() -> FakeNotifier:
    return FakeNotifier()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TemporaryStore]:
    with temporary_store(tmp_path) as opened:
        yield opened


def outbox_worker(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock, *, limit: int = 0, channels: str = "phone aunt"
) -> OutboxWorker:
    rules = {
        name: ChannelSettings(name=name, url=SecretStr(f"json://{name}"), max_per_hour=limit)
        for name in channels.split()
    }
    settings = Settings(state_dir=database.file.parent, channels=rules)
    return OutboxWorker(database.store, notifier, clock, settings=settings)


def test_due_alerts_are_sent_in_order_and_once(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for title in "abc":
        record_alerts(database.store, a_draft(title))
    worker = outbox_worker(database, notifier, clock)
    assert worker.deliver_due() == 3
    assert worker.deliver_due() == 0
    assert notifier.titles(PHONE) == ["a", "b", "c"]
    assert database.store.outbox.counts()[AlertState.SENT] == 3


def test_retries_have_growing_delays_and_end_after_a_week(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"))
    notifier.broken[PHONE] = False
    worker, pauses = outbox_worker(database, notifier, clock), []
    while database.store.outbox.counts()[AlertState.FAILED] == 0:
        worker.deliver_due()
        (alert,) = database.store.outbox.list()
        if alert.next_attempt_at is not None:
            pauses.append(alert.next_attempt_at - clock.now())
            clock.pass_by(pauses[-1])
    assert timedelta(seconds=30) <= pauses[0] <= timedelta(seconds=36)
    assert all(later >= timedelta(hours=2) for later in pauses[8:])
    assert all(pause <= timedelta(hours=2.4) for pause in pauses)
    assert [pause for pause in pauses[:8] if pause] == sorted(pauses[:8])
    assert timedelta() <= clock.now() - NOW - WEEK <= timedelta(hours=3)
    assert alert.last_error == "the service said no"
    clock.pass_by(WEEK)
    assert worker.deliver_due() == 0


def test_after_a_failure_the_other_alerts_of_the_channel_wait_in_order(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for title in "abc":
        record_alerts(database.store, a_draft(title))
    notifier.broken[PHONE] = False
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    assert notifier.attempts == [(PHONE, "a")]
    assert [alert.attempts for alert in database.store.outbox.list()] == [0, 0, 1]
    notifier.broken.clear()
    assert worker.deliver_due() == 0
    clock.pass_by(timedelta(minutes=1))
    worker.deliver_due()
    assert notifier.titles(PHONE) == ["a", "b", "c"]


def test_permanent_failure_is_not_retried_until_the_user_asks(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"))
    notifier.broken[PHONE] = True
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    assert database.store.outbox.counts()[AlertState.FAILED] == 1
    notifier.broken.clear()
    database.store.outbox.retry(clock.now())
    assert worker.deliver_due() == 1


def test_channel_that_hangs_does_not_delay_others(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    notifier.hanging[PHONE] = Event()
    record_alerts(database.store, a_draft("a"), a_draft("a", channel="aunt"))
    finished = Event()

    def deliver() -> None:
        outbox_worker(database, notifier, clock).deliver_due()
        finished.set()

    thread = Thread(target=deliver)
    thread.start()
    try:
        for _ in range(200):
            if notifier.titles(AUNT):
                break
            finished.wait(0.05)
        assert notifier.titles(AUNT) == ["a"]
        assert not finished.is_set()
    finally:
        notifier.hanging[PHONE].set()
        thread.join(20)
    assert notifier.titles(PHONE) == ["a"]


def test_concurrent_workers_deliver_once(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock, tmp_path: Path
) -> None:
    for title in "abcde":
        record_alerts(database.store, a_draft(title))
    with temporary_store(tmp_path) as other:
        workers = [outbox_worker(opened, notifier, clock) for opened in (database, other, database)]
        threads = [Thread(target=worker.deliver_due, kwargs={"wait": 10.0}) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert notifier.titles(PHONE) == list("abcde")


def test_digest_is_one_message(database: TemporaryStore, notifier: FakeNotifier, clock: HandClock) -> None:
    for title in "abc":
        record_alerts(database.store, a_draft(title, hold=HoldReason.DIGEST))
    assert outbox_worker(database, notifier, clock).deliver_due() == 3
    assert len(notifier.delivered) == 1
    assert database.rows("SELECT DISTINCT note FROM alert") == [("sent as one message with 2 more",)]


def test_many_alerts_are_combined_except_the_urgent_one(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for number in range(20):
        record_alerts(database.store, a_draft(f"relabelled {number}"))
    record_alerts(database.store, a_draft("evidence", severity=Severity.URGENT))
    assert outbox_worker(database, notifier, clock, limit=3).deliver_due() == 21
    assert len(notifier.delivered) == 2
    assert "evidence" in notifier.titles(PHONE)


def test_alerts_beyond_the_hourly_limit_are_sent_later(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    worker = outbox_worker(database, notifier, clock, limit=1)
    record_alerts(database.store, a_draft("a"))
    worker.deliver_due()
    record_alerts(database.store, a_draft("b"), now=clock.now())
    assert worker.deliver_due() == 0
    clock.pass_by(timedelta(hours=1, minutes=1))
    assert worker.deliver_due() == 1
    assert notifier.titles(PHONE) == ["a", "b"]


def test_superseded_held_alert_is_not_sent(database: TemporaryStore, notifier: FakeNotifier, clock: HandClock) -> None:
    for title in ("at nine", "at ten"):
        change = a_change(ChangeKind.APPOINTMENT_CHANGED, subject="interview")
        record_alerts(database.store, a_draft(title, hold=HoldReason.QUIET), change=change)
    assert outbox_worker(database, notifier, clock).deliver_due() == 1
    assert notifier.titles(PHONE) == ["at ten"]
    assert database.store.outbox.counts()[AlertState.SENT] == 2


def test_alert_for_a_removed_channel_is_marked_as_failed(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"))
    assert outbox_worker(database, notifier, clock, channels="aunt").deliver_due() == 0
    (alert,) = database.store.outbox.list()
    assert alert.state is AlertState.FAILED
    assert "phone" in (alert.last_error or "")
    assert notifier.attempts == []
    database.store.outbox.retry(clock.now())
    assert outbox_worker(database, notifier, clock).deliver_due() == 1


def test_stopped_worker_starts_no_message(database: TemporaryStore, notifier: FakeNotifier, clock: HandClock) -> None:
    record_alerts(database.store, a_draft("a"))
    stop = Event()
    stop.set()
    settings = outbox_worker(database, notifier, clock)._settings
    assert OutboxWorker(database.store, notifier, clock, settings=settings, stop=stop).deliver_due() == 0
    assert database.store.outbox.counts()[AlertState.QUEUED] == 1


@pytest.mark.parametrize("fault", [DiskFault.READ_ONLY, DiskFault.HELD])
def test_accepted_alert_is_not_sent_again_if_that_could_not_be_stored(
    fault: DiskFault, database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for title in "ab":
        record_alerts(database.store, a_draft(title))
    worker = outbox_worker(database, notifier, clock)
    with failing(fault, database.file):
        for _ in range(2):
            with pytest.raises(StoreUnusable):
                worker.deliver_due()
        assert worker.deliver_due() == 0
        assert database.store.outbox.next_due() is None
        assert notifier.titles(PHONE) == ["a", "b"]
    record_alerts(database.store, a_draft("c"))
    assert worker.deliver_due() == 1
    assert notifier.titles(PHONE) == ["a", "b", "c"]
    assert database.store.outbox.counts()[AlertState.SENT] == 3


def test_channel_whose_failure_cannot_be_stored_does_not_delay_others(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"), a_draft("a", channel="aunt"))
    notifier.broken[PHONE] = False
    with failing(DiskFault.READ_ONLY, database.file), pytest.raises(StoreUnusable):
        outbox_worker(database, notifier, clock).deliver_due()
    assert notifier.titles(AUNT) == ["a"]
