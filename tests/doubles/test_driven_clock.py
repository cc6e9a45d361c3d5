"""The clock that tests drive moves every wait of a process, and its time of day."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.driven_clock import DrivenClock, driven_clock, is_possible

pytestmark = pytest.mark.skipif(not is_possible(), reason="the driven clock needs a C compiler")

_WAITS = """
import select, socket, threading, time
def receive():
    one, other = socket.socketpair()
    one.settimeout(3600)
    try:
        one.recv(1)
    except TimeoutError:
        return
    raise AssertionError("nothing was sent")
for wait in (
    lambda: time.sleep(3600),
    lambda: threading.Event().wait(3600),
    lambda: select.select([], [], [], 3600),
    lambda: select.epoll().poll(3600),
    receive,
):
    began, day = time.monotonic(), time.time()
    wait()
    print(round((time.monotonic() - began) / 3600, 1), round((time.time() - day) / 3600, 1), flush=True)
print(time.time())
"""
START = datetime(2026, 2, 2, tzinfo=UTC)


def _start(clock: DrivenClock) -> "subprocess.Popen[str]":
    environ = {**os.environ, **clock.environ}
    return subprocess.Popen([sys.executable, "-c", _WAITS], env=environ, stdout=subprocess.PIPE, text=True)


def test_every_wait_ends_when_the_clock_has_leapt_to_its_end(tmp_path: Path) -> None:
    with driven_clock(tmp_path, START) as clock:
        clock.follow_leaps()
        with _start(clock) as process:
            while process.poll() is None:
                time.sleep(0.02)
                clock.leap(timedelta(minutes=5))
            assert process.stdout is not None
            *waits, last = process.stdout.read().splitlines()
        assert [wait.split()[0] == wait.split()[1] and 1.0 <= float(wait.split()[0]) < 1.4 for wait in waits] == [
            True
        ] * 5
        assert START < datetime.fromtimestamp(float(last), UTC) <= clock.now()


def test_every_wait_passes_faster_on_a_fast_clock(tmp_path: Path) -> None:
    with driven_clock(tmp_path, START) as clock:
        clock.set_speed(36_000)
        began = time.monotonic()
        with _start(clock) as process:
            process.wait(30)
        assert time.monotonic() - began < 20
        assert clock.now() - START >= timedelta(hours=5)


def test_time_of_day_is_set_without_time_passing(tmp_path: Path) -> None:
    with driven_clock(tmp_path, START) as clock:
        clock.set_wall(timedelta(hours=-2))
        assert timedelta() < clock.now() - (START - timedelta(hours=2)) < timedelta(minutes=1)
