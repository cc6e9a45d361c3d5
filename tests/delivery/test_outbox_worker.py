"""The courier: what is due reaches its channel in order and once; what fails is tried again, then visibly given up."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from tests.doubles.disk import DiskFault, failing
from tests.doubles.phones import FakeNotifier
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
def phones() -> FakeNotifier:
    return FakeNotifier()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[TemporaryStore]:
    with temporary_store(tmp_path) as made:
        yield made


def courier(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock, *, limit: int = 0, channels: str = "phone aunt"
) -> OutboxWorker:
    rules = {
        name: ChannelSettings(name=name, url=SecretStr(f"json://{name}"), max_per_hour=limit)
        for name in channels.split()
    }
    settings = Settings(state_dir=kept.file.parent, channels=rules)
    return OutboxWorker(kept.store, phones, clock, settings=settings)


def test_what_is_due_goes_out_in_order_and_only_once(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    for title in "abc":
        record_alerts(kept.store, a_draft(title))
    works = courier(kept, phones, clock)
    assert works.deliver_due() == 3
    assert works.deliver_due() == 0
    assert phones.titles(PHONE) == ["a", "b", "c"]
    assert kept.store.outbox.counts()[AlertState.SENT] == 3


def test_a_service_that_is_down_is_asked_with_growing_pauses_and_given_up_after_a_week(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(kept.store, a_draft("a"))
    phones.broken[PHONE] = False
    works, pauses = courier(kept, phones, clock), []
    while kept.store.outbox.counts()[AlertState.FAILED] == 0:
        works.deliver_due()
        (alert,) = kept.store.outbox.list()
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
    assert works.deliver_due() == 0


def test_after_a_failure_the_rest_of_the_channel_waits_with_it_and_keeps_its_order(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    for title in "abc":
        record_alerts(kept.store, a_draft(title))
    phones.broken[PHONE] = False
    works = courier(kept, phones, clock)
    works.deliver_due()
    assert phones.attempts == [(PHONE, "a")]
    assert [alert.attempts for alert in kept.store.outbox.list()] == [0, 0, 1]
    phones.broken.clear()
    assert works.deliver_due() == 0
    clock.pass_by(timedelta(minutes=1))
    works.deliver_due()
    assert phones.titles(PHONE) == ["a", "b", "c"]


def test_what_can_never_arrive_is_given_up_at_once_and_taken_up_again_when_told(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(kept.store, a_draft("a"))
    phones.broken[PHONE] = True
    works = courier(kept, phones, clock)
    works.deliver_due()
    assert kept.store.outbox.counts()[AlertState.FAILED] == 1
    phones.broken.clear()
    kept.store.outbox.retry(clock.now())
    assert works.deliver_due() == 1


def test_a_channel_that_hangs_holds_back_no_other(kept: TemporaryStore, phones: FakeNotifier, clock: HandClock) -> None:
    phones.hanging[PHONE] = Event()
    record_alerts(kept.store, a_draft("a"), a_draft("a", channel="aunt"))
    arrived = Event()

    def deliver() -> None:
        courier(kept, phones, clock).deliver_due()
        arrived.set()

    thread = Thread(target=deliver)
    thread.start()
    try:
        for _ in range(200):
            if phones.titles(AUNT):
                break
            arrived.wait(0.05)
        assert phones.titles(AUNT) == ["a"]
        assert not arrived.is_set()
    finally:
        phones.hanging[PHONE].set()
        thread.join(20)
    assert phones.titles(PHONE) == ["a"]


def test_two_couriers_at_once_deliver_once(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock, tmp_path: Path
) -> None:
    for title in "abcde":
        record_alerts(kept.store, a_draft(title))
    with temporary_store(tmp_path) as other:
        works = [courier(each, phones, clock) for each in (kept, other, kept)]
        threads = [Thread(target=each.deliver_due, kwargs={"wait": 10.0}) for each in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert phones.titles(PHONE) == list("abcde")


def test_a_digest_is_one_message(kept: TemporaryStore, phones: FakeNotifier, clock: HandClock) -> None:
    for title in "abc":
        record_alerts(kept.store, a_draft(title, hold=HoldReason.DIGEST))
    assert courier(kept, phones, clock).deliver_due() == 3
    assert len(phones.delivered) == 1
    assert kept.rows("SELECT DISTINCT note FROM alert") == [("sent as one message with 2 more",)]


def test_a_flood_is_folded_and_the_urgent_one_goes_alone(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    for number in range(20):
        record_alerts(kept.store, a_draft(f"relabelled {number}"))
    record_alerts(kept.store, a_draft("evidence", severity=Severity.URGENT))
    assert courier(kept, phones, clock, limit=3).deliver_due() == 21
    assert len(phones.delivered) == 2
    assert "evidence" in phones.titles(PHONE)


def test_in_a_full_hour_what_is_not_urgent_waits_and_is_not_lost(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    works = courier(kept, phones, clock, limit=1)
    record_alerts(kept.store, a_draft("a"))
    works.deliver_due()
    record_alerts(kept.store, a_draft("b"), now=clock.now())
    assert works.deliver_due() == 0
    clock.pass_by(timedelta(hours=1, minutes=1))
    assert works.deliver_due() == 1
    assert phones.titles(PHONE) == ["a", "b"]


def test_a_held_alert_that_a_later_one_made_untrue_is_not_sent(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    for title in ("at nine", "at ten"):
        change = a_change(ChangeKind.APPOINTMENT_CHANGED, subject="interview")
        record_alerts(kept.store, a_draft(title, hold=HoldReason.QUIET), change=change)
    assert courier(kept, phones, clock).deliver_due() == 1
    assert phones.titles(PHONE) == ["at ten"]
    assert kept.store.outbox.counts()[AlertState.SENT] == 2


def test_an_alert_for_a_channel_that_was_removed_fails_for_all_to_see(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(kept.store, a_draft("a"))
    assert courier(kept, phones, clock, channels="aunt").deliver_due() == 0
    (alert,) = kept.store.outbox.list()
    assert alert.state is AlertState.FAILED
    assert "phone" in (alert.last_error or "")
    assert phones.attempts == []
    kept.store.outbox.retry(clock.now())
    assert courier(kept, phones, clock).deliver_due() == 1


def test_a_courier_that_is_told_to_stop_takes_up_nothing_more(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(kept.store, a_draft("a"))
    stop = Event()
    stop.set()
    settings = courier(kept, phones, clock)._settings
    assert OutboxWorker(kept.store, phones, clock, settings=settings, stop=stop).deliver_due() == 0
    assert kept.store.outbox.counts()[AlertState.QUEUED] == 1


@pytest.mark.parametrize("fault", [DiskFault.READ_ONLY, DiskFault.HELD])
def test_what_was_taken_and_cannot_be_written_down_is_not_sent_again(
    fault: DiskFault, kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    for title in "ab":
        record_alerts(kept.store, a_draft(title))
    works = courier(kept, phones, clock)
    with failing(fault, kept.file):
        for _ in range(2):
            with pytest.raises(StoreUnusable):
                works.deliver_due()
        assert works.deliver_due() == 0
        assert kept.store.outbox.next_due() is None
        assert phones.titles(PHONE) == ["a", "b"]
    record_alerts(kept.store, a_draft("c"))
    assert works.deliver_due() == 1
    assert phones.titles(PHONE) == ["a", "b", "c"]
    assert kept.store.outbox.counts()[AlertState.SENT] == 3


def test_a_channel_whose_trouble_cannot_be_written_down_holds_back_no_other(
    kept: TemporaryStore, phones: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(kept.store, a_draft("a"), a_draft("a", channel="aunt"))
    phones.broken[PHONE] = False
    with failing(DiskFault.READ_ONLY, kept.file), pytest.raises(StoreUnusable):
        courier(kept, phones, clock).deliver_due()
    assert phones.titles(AUNT) == ["a"]
