"""The outbox worker: alerts reach their channel in order and once; failures are retried, then reported."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from tests.doubles.disk import DiskFault, failing
from tests.doubles.notifier import FakeNotifier
from tests.practice.visitor import HandClock
from tests.store.temporary_store import NOW, NUMBER, TemporaryStore, a_change, a_draft, record_alerts, temporary_store
from tests.support.waiting import eventually
from watcher.clock.quiet_hours import QuietHours
from watcher.delivery.outbox_worker import OutboxWorker, delivery_lock
from watcher.errors import StoreUnusable
from watcher.model.alert import AlertState, HoldReason
from watcher.model.change import Change, ChangeKind, Severity
from watcher.settings import ChannelSettings, Settings
from watcher.store import Busy

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
    database: TemporaryStore,
    notifier: FakeNotifier,
    clock: HandClock,
    *,
    limit: int = 0,
    channels: str = "phone aunt",
    **options: Any,
) -> OutboxWorker:
    """Return a worker for these channels. `options` are more settings of each of them."""
    rules = {
        name: ChannelSettings(name=name, url=SecretStr(f"json://{name}"), max_per_hour=limit, **options)
        for name in channels.split()
    }
    settings = Settings(state_dir=database.file.parent, channels=rules, timezone=ZoneInfo("UTC"))
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


def test_channel_is_down_after_two_failures_and_the_rest_waits(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for title in "abc":
        record_alerts(database.store, a_draft(title), number=title)
    notifier.broken[PHONE] = False
    worker = outbox_worker(database, notifier, clock)
    worker.deliver_due()
    assert notifier.attempts == [(PHONE, "a"), (PHONE, "b")]
    assert [alert.attempts for alert in database.store.outbox.list()] == [0, 1, 1]
    notifier.broken.clear()
    assert worker.deliver_due() == 0
    clock.pass_by(timedelta(minutes=1))
    worker.deliver_due()
    assert sorted(notifier.titles(PHONE)) == ["a", "b", "c"]


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


def test_urgent_alert_reaches_a_channel_within_two_seconds_while_another_has_500_queued(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, *(a_draft(f"number {number}") for number in range(500)))
    slow = notifier.hanging[PHONE] = Event()
    worker = outbox_worker(database, notifier, clock)
    busy = Thread(target=worker.deliver_due)
    busy.start()
    try:
        assert eventually(lambda: notifier.attempts, within=20)
        record_alerts(database.store, a_draft("urgent", channel="aunt", severity=Severity.URGENT))
        recorded = time.monotonic()
        worker.deliver("aunt")
        assert notifier.titles(AUNT) == ["urgent"]
        assert time.monotonic() - recorded < 2
        assert not notifier.titles(PHONE)
    finally:
        slow.set()
        busy.join(60)
    assert len(notifier.titles(PHONE)) == 500


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
    assert [alert.covered_by for alert in reversed(database.store.outbox.list())] == [None, 1, 1]


def test_urgent_alerts_that_may_have_been_sent_before_are_sent_alone_and_first(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for title, severity in (
        ("a", Severity.ROUTINE),
        ("evidence", Severity.URGENT),
        ("b", Severity.IMPORTANT),
        ("denied", Severity.URGENT),
    ):
        record_alerts(database.store, a_draft(title, hold=HoldReason.MAYBE_SENT, severity=severity), number=title)
    assert outbox_worker(database, notifier, clock).deliver_due() == 4
    assert notifier.titles(PHONE)[:2] == ["evidence", "denied"]
    assert len(notifier.delivered) == 3


def test_many_alerts_are_combined_except_the_urgent_one(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for number in range(20):
        record_alerts(database.store, a_draft(f"relabelled {number}"), number=str(number))
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
    newer, older = database.store.outbox.list()
    assert (newer.state, older.state, older.covered_by) == (AlertState.SENT, AlertState.DROPPED, newer.id)


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
    notifier.hanging[PHONE] = Event()
    errors: list[StoreUnusable] = []

    def deliver() -> None:
        try:
            worker.deliver_due()
        except StoreUnusable as error:
            errors.append(error)

    thread = Thread(target=deliver)
    thread.start()
    assert eventually(lambda: notifier.attempts, within=10)
    with failing(fault, database.file):
        notifier.hanging.pop(PHONE).set()
        thread.join(20)
        with pytest.raises(StoreUnusable):
            worker.deliver_due()
        assert errors
        assert notifier.titles(PHONE) == ["a"], "what cannot be claimed is not sent"
    record_alerts(database.store, a_draft("c"))
    assert worker.deliver_due() == 2
    assert notifier.titles(PHONE) == ["a", "b", "c"]
    assert database.store.outbox.counts()[AlertState.SENT] == 3


def test_accepted_alert_that_could_not_be_stored_is_stored_before_the_process_ends(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"))
    notifier.hanging[PHONE] = Event()
    worker = outbox_worker(database, notifier, clock)
    delivery = Thread(target=lambda: suppressing(StoreUnusable, worker.deliver_due))
    delivery.start()
    assert eventually(lambda: notifier.attempts, within=10)
    with failing(DiskFault.READ_ONLY, database.file):
        notifier.hanging.pop(PHONE).set()
        delivery.join(20)
        worker.finish(within=0)
        assert database.store.outbox.counts()[AlertState.SENT] == 0
        end = Thread(target=lambda: worker.finish(within=20))
        end.start()
    end.join(20)
    assert database.store.outbox.counts()[AlertState.SENT] == 1


def suppressing(error: type[Exception], action: Callable[[], object]) -> None:
    with suppress(error):
        action()


def test_channel_whose_delivery_fails_unexpectedly_does_not_delay_others(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"), a_draft("b", channel="aunt"))

    def fail(title: str) -> None:
        if title == "a":
            raise StoreUnusable("gone")

    notifier.on_send = fail
    with pytest.raises(StoreUnusable):
        outbox_worker(database, notifier, clock).deliver_due()
    assert notifier.titles(AUNT) == ["b"]


def test_flood_leaves_urgent_alerts_alone_and_first_and_names_all_others(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    for number in range(150):
        record_alerts(database.store, a_draft(f"important {number}"), number=str(number))
    record_alerts(database.store, *(a_draft(f"urgent {number}", severity=Severity.URGENT) for number in range(20)))
    assert outbox_worker(database, notifier, clock, limit=30).deliver_due() == 170
    assert notifier.titles(PHONE)[:20] == [f"urgent {number}" for number in range(20)]
    (body,) = notifier.bodies[20:]
    assert all(f"important {number}" in body for number in range(150))
    assert database.store.outbox.messages_since("phone", NOW) == 21


def test_alert_after_a_flood_is_sent_at_once(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    worker = outbox_worker(database, notifier, clock, limit=30)
    record_alerts(database.store, *(a_draft(f"important {number}") for number in range(40)))
    assert worker.deliver_due() == 40
    clock.pass_by(timedelta(minutes=5))
    record_alerts(database.store, a_draft("afterwards"))
    assert worker.deliver_due() == 1


def test_held_urgent_alert_is_not_dropped_for_one_that_waits_for_a_digest(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    stage = a_change(ChangeKind.STAGE_CHANGED)
    denied = a_draft("denied", hold=HoldReason.QUIET, severity=Severity.URGENT)
    record_alerts(database.store, denied, change=stage)
    record_alerts(database.store, a_draft("under review", hold=HoldReason.DIGEST, at=NOW + WEEK), change=stage)
    assert outbox_worker(database, notifier, clock).deliver_due() == 1
    assert notifier.titles(PHONE) == ["denied"]


def test_held_alert_is_not_dropped_for_one_that_was_given_up(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    stage = a_change(ChangeKind.STAGE_CHANGED)
    record_alerts(database.store, a_draft("first", hold=HoldReason.QUIET), change=stage)
    record_alerts(database.store, a_draft("second"), change=stage)
    database.store.outbox.mark_failed([2], "no", now=NOW, next_attempt_at=None)
    assert outbox_worker(database, notifier, clock).deliver_due() == 1
    assert notifier.titles(PHONE) == ["first"]


def test_refused_digest_is_tried_again_as_a_digest(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, *(a_draft(title, hold=HoldReason.DIGEST) for title in "abc"))
    worker = outbox_worker(database, notifier, clock)
    notifier.broken[PHONE] = False
    assert worker.deliver_due() == 0
    notifier.broken.clear()
    clock.pass_by(timedelta(minutes=1))
    assert worker.deliver_due() == 3
    assert len(notifier.delivered) == 1


def test_digest_is_given_up_a_week_after_its_first_attempt(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft(hold=HoldReason.DIGEST, at=NOW + WEEK), now=NOW)
    clock.pass_by(WEEK)
    notifier.broken[PHONE] = False
    worker = outbox_worker(database, notifier, clock)
    while database.store.outbox.counts()[AlertState.FAILED] == 0:
        worker.deliver_due()
        clock.pass_by(timedelta(hours=3))
    assert 2 * WEEK < clock.now() - NOW < 2 * WEEK + timedelta(hours=7)


@pytest.mark.parametrize("hour", [21, 2, 6])
def test_retry_or_late_start_in_quiet_hours_waits_for_their_end(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock, hour: int
) -> None:
    record_alerts(database.store, a_draft("important"), change=a_change(ChangeKind.NOTICE_ADDED, subject="n"))
    record_alerts(database.store, a_draft("urgent", severity=Severity.URGENT))
    quiet = QuietHours.parse("21:00-07:00")
    worker = outbox_worker(database, notifier, clock, quiet_hours=quiet)
    clock.pass_by(timedelta(hours=(hour - NOW.hour) % 24))
    assert worker.deliver_due() == 1
    assert notifier.titles(PHONE) == ["urgent"]
    (important,) = database.store.outbox.list(state=AlertState.HELD)
    assert important.next_attempt_at == (NOW + timedelta(days=1)).replace(hour=7)
    clock.pass_by(important.next_attempt_at - clock.now())
    assert worker.deliver_due() == 1


def test_refused_message_does_not_hold_back_others(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    notifier.refused = {"poison", "second poison"}
    urgent = Severity.URGENT
    record_alerts(
        database.store,
        a_draft("poison", severity=urgent),
        a_draft("second poison", severity=urgent),
        a_draft("important"),
    )
    worker = outbox_worker(database, notifier, clock)
    for _ in range(4):
        worker.deliver_due()
        clock.pass_by(timedelta(minutes=5))
    assert notifier.titles(PHONE) == ["important"]
    record_alerts(database.store, a_draft("urgent", severity=urgent), now=clock.now())
    worker.deliver_due()
    assert notifier.titles(PHONE) == ["important", "urgent"]


def test_urgent_alert_written_during_delivery_goes_before_the_rest(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"))
    record_alerts(database.store, a_draft("b"), number="b")
    record_alerts(database.store, a_draft("c"), number="c")
    notifier.on_send = lambda title: (
        record_alerts(database.store, a_draft("urgent", severity=Severity.URGENT)) if title == "a" else None
    )
    assert outbox_worker(database, notifier, clock).deliver_due() == 4
    assert notifier.titles(PHONE) == ["a", "urgent", "b", "c"]


def test_escalation_of_what_is_over_is_dropped_even_if_the_channel_heard_nothing(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    urgent = Change(kind=ChangeKind.RFE_RECEIVED, severity=Severity.URGENT, case_number=NUMBER, subject="rfe")
    escalation = a_draft("asked", hold=HoldReason.ESCALATION, severity=Severity.URGENT)
    record_alerts(database.store, escalation, change=urgent)
    record_alerts(database.store, change=a_change(ChangeKind.ITEM_CLOSED, subject="rfe"))
    assert outbox_worker(database, notifier, clock).deliver_due() == 0
    (alert,) = database.store.outbox.list()
    assert (alert.state, alert.note) == (AlertState.DROPPED, "over before it was sent")


def test_message_in_flight_is_finished_and_marked_when_the_worker_is_stopped(
    database: TemporaryStore, notifier: FakeNotifier, clock: HandClock
) -> None:
    record_alerts(database.store, a_draft("a"), a_draft("b"))
    notifier.hanging[PHONE] = Event()
    worker = outbox_worker(database, notifier, clock)
    thread = Thread(target=worker.deliver_due)
    thread.start()
    assert eventually(lambda: notifier.attempts, within=10)
    worker._stop.set()
    with pytest.raises(Busy), database.store.locks.acquire(delivery_lock("phone")):
        pass
    notifier.hanging[PHONE].set()
    thread.join(20)
    assert [alert.state for alert in database.store.outbox.list()] == [AlertState.QUEUED, AlertState.SENT]
    assert notifier.attempts == [(PHONE, "a")]
