"""When things are done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Event, Lock
from threading import enumerate as enumerate_threads

import pytest

from watcher.clock import FastClock
from watcher.daemon.schedule import Schedule

PATIENCE = 15.0


@pytest.fixture
def clock() -> FastClock:
    """An hour passes in a second."""
    return FastClock(datetime(2026, 3, 2, 12, tzinfo=UTC), 3600)


@pytest.fixture
def schedule(clock: FastClock) -> Iterator[Schedule]:
    made = Schedule(clock, threads=2)
    made.start()
    yield made
    made.stop()


def test_a_job_runs_at_its_moment_and_again_until_it_says_that_it_is_over(schedule: Schedule, clock: FastClock) -> None:
    moments, over = [], Event()
    due = clock.now() + timedelta(minutes=30)

    def work() -> datetime | None:
        moments.append(clock.now())
        if len(moments) == 3:
            over.set()
            return None
        return clock.now() + timedelta(minutes=10)

    schedule.at("a", due, work)
    assert over.wait(PATIENCE)
    assert moments[0] >= due
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(moments))


def test_a_moment_that_is_past_is_now(schedule: Schedule, clock: FastClock) -> None:
    ran = Event()
    schedule.at("a", clock.now() - timedelta(days=9), ran.set)
    assert ran.wait(PATIENCE)


def test_a_job_that_fails_is_tried_again_after_a_minute(schedule: Schedule, clock: FastClock) -> None:
    tries, again = [], Event()

    def work() -> datetime | None:
        tries.append(clock.now())
        if len(tries) == 1:
            raise ValueError("made up")
        again.set()
        return None

    schedule.at("a", clock.now(), work)
    assert again.wait(PATIENCE)
    assert tries[1] - tries[0] >= timedelta(minutes=1)


def test_what_is_cancelled_does_not_run_and_what_was_never_there_may_be_cancelled(
    schedule: Schedule, clock: FastClock
) -> None:
    ran, other = Event(), Event()
    schedule.at("a", clock.now() + timedelta(minutes=20), ran.set)
    schedule.cancel("a")
    schedule.cancel("nothing")
    schedule.at("b", clock.now() + timedelta(minutes=40), other.set)
    assert other.wait(PATIENCE)
    assert not ran.is_set()


def test_what_comes_round_by_itself_is_not_held_back_by_jobs_that_take_long(
    schedule: Schedule, clock: FastClock
) -> None:
    release, lock, turns, enough = Event(), Lock(), 0, Event()

    def slow() -> None:
        release.wait(PATIENCE)

    def tick() -> None:
        nonlocal turns
        with lock:
            turns += 1
            if turns == 3:
                enough.set()

    for name in "abcd":
        schedule.at(name, clock.now(), slow)
    schedule.every("tick", timedelta(minutes=5), tick)
    try:
        assert enough.wait(PATIENCE)
    finally:
        release.set()


def test_an_end_while_jobs_are_due_is_the_threads_own_quiet_end(clock: FastClock) -> None:
    for _ in range(10):
        schedule = Schedule(clock, threads=2)
        for name in "abcdefghijklmnopqrstuvwxyz":
            schedule.at(name, clock.now(), lambda: None)
        schedule.start()
        (thread,) = (each for each in enumerate_threads() if each.name == "APScheduler")
        schedule.stop()
        thread.join(PATIENCE)  # what a thread ends with that nobody catches fails the test
        assert not thread.is_alive()


def test_after_the_end_nothing_more_is_begun(clock: FastClock) -> None:
    schedule, ran = Schedule(clock, threads=1), Event()
    schedule.start()
    schedule.stop()
    schedule.at("a", clock.now(), ran.set)
    assert not ran.wait(0.2)
