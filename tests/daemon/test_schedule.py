"""Jobs and their times."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Event, Lock
from threading import enumerate as enumerate_threads

import pytest

from watcher.clock import FastClock
from watcher.daemon.schedule import Schedule

TIMEOUT = 15.0


@pytest.fixture
def clock() -> FastClock:
    """A clock on which an hour passes in a second."""
    return FastClock(datetime(2026, 3, 2, 12, tzinfo=UTC), 3600)


@pytest.fixture
def schedule(clock: FastClock) -> Iterator[Schedule]:
    schedule = Schedule(clock, threads=2)
    schedule.start()
    yield schedule
    schedule.stop()


def test_job_runs_at_its_time_and_again_until_it_returns_none(schedule: Schedule, clock: FastClock) -> None:
    moments, finished = [], Event()
    due = clock.now() + timedelta(minutes=30)

    def work() -> datetime | None:
        moments.append(clock.now())
        if len(moments) == 3:
            finished.set()
            return None
        return clock.now() + timedelta(minutes=10)

    schedule.at("a", due, work)
    assert finished.wait(TIMEOUT)
    assert moments[0] >= due
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(moments))


def test_overdue_job_runs_at_once(schedule: Schedule, clock: FastClock) -> None:
    ran = Event()
    schedule.at("a", clock.now() - timedelta(days=9), ran.set)
    assert ran.wait(TIMEOUT)


def test_failed_job_runs_again_after_a_minute(schedule: Schedule, clock: FastClock) -> None:
    attempts, retried = [], Event()

    def work() -> datetime | None:
        attempts.append(clock.now())
        if len(attempts) == 1:
            raise ValueError("made up")
        retried.set()
        return None

    schedule.at("a", clock.now(), work)
    assert retried.wait(TIMEOUT)
    assert attempts[1] - attempts[0] >= timedelta(minutes=1)


def test_cancelled_job_does_not_run_and_an_unknown_job_can_be_cancelled(schedule: Schedule, clock: FastClock) -> None:
    ran, other = Event(), Event()
    schedule.at("a", clock.now() + timedelta(minutes=20), ran.set)
    schedule.cancel("a")
    schedule.cancel("nothing")
    schedule.at("b", clock.now() + timedelta(minutes=40), other.set)
    assert other.wait(TIMEOUT)
    assert not ran.is_set()


def test_regular_jobs_are_not_delayed_by_slow_jobs(schedule: Schedule, clock: FastClock) -> None:
    release, lock, ticks, enough = Event(), Lock(), 0, Event()

    def slow() -> None:
        release.wait(TIMEOUT)

    def tick() -> None:
        nonlocal ticks
        with lock:
            ticks += 1
            if ticks == 3:
                enough.set()

    for name in "abcd":
        schedule.at(name, clock.now(), slow)
    schedule.every("tick", timedelta(minutes=5), tick)
    try:
        assert enough.wait(TIMEOUT)
    finally:
        release.set()


def test_scheduler_thread_ends_without_an_error_while_jobs_are_due(clock: FastClock) -> None:
    for _ in range(10):
        schedule = Schedule(clock, threads=2)
        for name in "abcdefghijklmnopqrstuvwxyz":
            schedule.at(name, clock.now(), lambda: None)
        schedule.start()
        (thread,) = (thread for thread in enumerate_threads() if thread.name == "APScheduler")
        schedule.stop()
        thread.join(TIMEOUT)  # an uncaught exception in the thread fails the test
        assert not thread.is_alive()


def test_no_job_starts_after_stop(clock: FastClock) -> None:
    schedule, ran = Schedule(clock, threads=1), Event()
    schedule.start()
    schedule.stop()
    schedule.at("a", clock.now(), ran.set)
    assert not ran.wait(0.2)
