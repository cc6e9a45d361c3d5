"""Claims on alerts: two deliveries never send the same alert, and a claim ends with the process that made it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.store.temporary_store import NOW, TemporaryStore, a_draft, record_alerts
from tests.support.waiting import eventually
from tests.support.workspace import REPOSITORY
from watcher.model.alert import AlertState
from watcher.store import claimant
from watcher.store.writes.claims import CLAIM_TIME, is_abandoned

_CLAIMER = """
import sys
from watcher.store import claimant
with claimant() as name:
    print(name, flush=True)
    sys.stdin.read()
"""
ELSEWHERE = "another machine/1/1/a"
SECOND = timedelta(seconds=1)


@contextmanager
def claiming_process() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a process that claims; return it with the name of its delivery."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLAIMER], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_alert_is_claimed_by_one_delivery(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("a"), a_draft("b"))
    outbox = temporary.store.outbox
    with claimant() as one, claimant() as other:
        assert outbox.claim([1], one, NOW) == [1]
        assert outbox.claim([1, 2], other, NOW) == [2]
        assert outbox.claim([1], one, NOW) == [1]
        assert [queued.is_claimed for queued in outbox.due(NOW)] == [True, True]
        assert outbox.due_channels(NOW) == []
        assert outbox.next_due() is None
    assert [queued.is_claimed for queued in outbox.due(NOW)] == [False, False]
    assert outbox.next_due() == NOW


def test_alert_that_was_sent_or_dropped_meanwhile_is_not_claimed(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft("a"), a_draft("b"), a_draft("c"))
    outbox = temporary.store.outbox
    outbox.mark_sent([1], NOW)
    outbox.drop({2: 1}, note="untrue")
    with claimant() as name:
        assert outbox.claim([1, 2, 3], name, NOW) == [3]


def test_claimed_alert_is_not_changed_by_others_that_saw_it_before(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft())
    outbox = temporary.store.outbox
    with claimant() as name:
        outbox.claim([1], name, NOW)
        outbox.postpone([1], NOW + CLAIM_TIME)
        outbox.hold_until([1], NOW + CLAIM_TIME)
        outbox.drop({1: None}, note="untrue")
        outbox.mark_failed([1], "no", now=NOW, next_attempt_at=None)
        outbox.mark_undeliverable([1], "no channel")
        (alert,) = outbox.list()
        assert (alert.state, alert.next_attempt_at, alert.attempts) == (AlertState.QUEUED, NOW, 0)
        outbox.mark_failed([1], "no", now=NOW, next_attempt_at=NOW + SECOND, claimant=name)
        (alert,) = outbox.list()
        assert (alert.next_attempt_at, alert.attempts) == (NOW + SECOND, 1)
        assert not outbox.due(NOW + SECOND)[0].is_claimed


def test_sent_alert_stays_sent_whatever_an_older_list_says(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft())
    outbox = temporary.store.outbox
    outbox.mark_sent([1], NOW)
    outbox.hold_until([1], NOW)
    outbox.postpone([1], NOW)
    outbox.mark_failed([1], "no", now=NOW, next_attempt_at=NOW)
    outbox.drop({1: None}, note="untrue")
    (alert,) = outbox.list()
    assert (alert.state, alert.attempts, alert.last_error) == (AlertState.SENT, 1, None)


def test_claim_of_another_machine_ends_with_its_time(temporary: TemporaryStore) -> None:
    record_alerts(temporary.store, a_draft())
    outbox = temporary.store.outbox
    assert outbox.claim([1], ELSEWHERE, NOW) == [1]
    for now, is_claimed in ((NOW, True), (NOW + CLAIM_TIME - SECOND, True), (NOW + CLAIM_TIME, False)):
        assert [queued.is_claimed for queued in outbox.due(now)] == [is_claimed]


def test_claim_by_a_clock_that_was_ahead_does_not_hold() -> None:
    assert is_abandoned(ELSEWHERE, NOW + timedelta(days=365), NOW)


def test_claim_of_a_killed_process_ends_at_once_and_that_of_a_stopped_one_does_not() -> None:
    with claiming_process() as (process, name):
        assert not is_abandoned(name, NOW + CLAIM_TIME, NOW)
        os.kill(process.pid, signal.SIGSTOP)
        assert not is_abandoned(name, NOW + CLAIM_TIME, NOW + timedelta(days=1))
        os.kill(process.pid, signal.SIGKILL)
        assert eventually(lambda: is_abandoned(name, NOW + CLAIM_TIME, NOW), within=10)
        process.wait()
        assert is_abandoned(name, NOW + CLAIM_TIME, NOW)


def test_claim_of_another_process_with_the_same_number_is_abandoned() -> None:
    with claimant() as name:
        machine, pid, started, run = name.split("/")
        assert not is_abandoned(name, NOW + CLAIM_TIME, NOW)
        assert is_abandoned(f"{machine}/{pid}/{int(started) - 1}/{run}", NOW + CLAIM_TIME, NOW)
    assert is_abandoned(name, NOW + CLAIM_TIME, NOW)


@pytest.mark.parametrize("name", ["", "x", "a/b/c/d"])
def test_damaged_claim_ends_with_its_time(name: str) -> None:
    assert not is_abandoned(name, NOW + SECOND, NOW)
    assert is_abandoned(name, NOW, NOW)
