"""The daemon at rest, an hour after its last alert, and what it takes over a day: all its processes together."""

import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from tests.benchmarks.gauge import Result, progress
from tests.benchmarks.household import account, channel, configured, environment, folder, receipts
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.processes import Memory, cpu, family, is_running, is_waiting, memory, switches
from tests.benchmarks.running import Daemon, query, running, wait_for
from tests.benchmarks.scale import Scale
from tests.doubles.driven_clock import DrivenClock, driven_clock, is_possible

_T = TypeVar("_T")
_ACCOUNTS, _CASES = 10, 10
_EVERY = timedelta(hours=4)
_DAY = timedelta(days=1)
_CHECKS_A_DAY = _ACCOUNTS * (_DAY // _EVERY)
_FAST, _FASTER = 60.0, 240.0
_LOOK = 0.003  # seconds
_SLICE = timedelta(seconds=0.2)
_MEMORY, _WAKES, _STOP, _START = 30.0, 10.0, 1.0, 0.5
_LIBRARIES = "import apscheduler.schedulers.background, httpx, sqlmodel, pydantic_settings, structlog, time"
_SCRIPT = """
import httpx, sqlite3, sys
headers = {"Authorization": "Bearer made-up-token"}
with httpx.Client(headers=headers) as client, sqlite3.connect(sys.argv[1]) as database:
    database.execute("CREATE TABLE IF NOT EXISTS seen (number PRIMARY KEY, text)")
    for number in sys.argv[3:]:
        text = client.get(f"{sys.argv[2]}/case-status/{number}").json()["case_status"]["formType"]
        database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (number, text))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    memory: Memory
    processes: int
    wakes: float
    cpu: float


def idle(scale: Scale) -> Iterator[Result]:
    """Measure memory and wake-ups an hour after the last alert, on a driven clock."""
    if not is_possible():
        yield _skipped("the daemon at rest")
        return
    progress(f"the daemon at rest: {scale.watch:.0f} s, after an hour that takes a minute")
    with open_office() as office:
        rests = {name: _rest(office, program, scale) for name, program in scale.programs.items()}
    with folder() as home:
        python, libraries = _bare(home, "import time"), _bare(home, _LIBRARIES)
    now, before = rests["now"], rests.get("before")
    yield Result(
        what=f"memory of all processes at rest, {_ACCOUNTS} accounts, an hour after the last alert (driven clock)",
        ours=f"{now.memory.rss:.1f} MiB RSS, {now.memory.pss:.1f} PSS, in {now.processes} process(es)",
        floor=f"python: {python:.1f} MiB; python with the libraries: {libraries:.1f}"
        + before_text(before, lambda rest: f"{rest.memory.rss:.1f} MiB RSS, {rest.memory.pss:.1f} PSS"),
        ratio=now.memory.rss,
        goal=_MEMORY,
        figures={"python_mib": python, "libraries_mib": libraries}
        | figures_of(rests, lambda rest: {"rss_mib": rest.memory.rss, "pss_mib": rest.memory.pss}),
    )
    yield Result(
        what="wake-ups of all processes at rest",
        ours=f"{now.wakes:.0f} context switches a minute",
        floor=before_text(before, lambda rest: f"{rest.wakes:.0f}"),
        ratio=now.wakes,
        goal=_WAKES,
        figures=figures_of(rests, lambda rest: {"per_minute": rest.wakes, "cpu_s_a_day": rest.cpu * 86400}),
    )


def _rest(office: Office, program: Path, scale: Scale) -> _Rest:
    with _prepared(office, program) as (home, clock):
        query(home, "UPDATE account SET next_read_at = NULL")
        query(home, "UPDATE alert SET state = 'queued', next_attempt_at = created_at WHERE id = 1")
        clock.follow_leaps(_SLICE)
        with running(home, program, clock.environ) as daemon:
            wait_for(home, "SELECT 1 FROM alert WHERE id = 1 AND state = 'sent'", within=60)
            _wait_until_checked(home, clock.now() - timedelta(minutes=2))
            _pass(clock, daemon, timedelta(minutes=62), timedelta(hours=1) / timedelta(seconds=scale.hour))
            clock.ignore_leaps()
            time.sleep(1)
            return _look(daemon, scale.watch)


def _look(daemon: Daemon, seconds: float) -> _Rest:
    woken, took, began = switches(daemon.pid), cpu(daemon.pid), time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    return _Rest(
        memory=memory(daemon.pid),
        processes=len(family(daemon.pid)),
        wakes=(switches(daemon.pid) - woken) / passed * 60,
        cpu=(cpu(daemon.pid) - took) / passed,
    )


def day(scale: Scale) -> Iterator[Result]:
    """Measure the CPU time of a day: part of it on a clock that is sixty times as fast, the rest calculated."""
    if not is_possible():
        yield _skipped("CPU of a day")
        return
    progress(f"a day with {_CHECKS_A_DAY} checks: {scale.day} of it, {_FAST:.0f} times as fast")
    with open_office() as office:
        days = {name: _day(office, program, scale) for name, program in scale.programs.items()}
        together = _day(office, scale.programs["now"], scale, together=True) if scale.day >= _EVERY else None
        with folder() as home:
            script = _script(office, home, scale.starts) * _CHECKS_A_DAY
    yield Result(
        what=f"CPU of a day, {_CHECKS_A_DAY} checks one by one, from {scale.day / timedelta(hours=1):g} h on a clock"
        f" {_FAST:.0f} times as fast",
        ours=f"{days['now']:.1f} s",
        floor=f"{_CHECKS_A_DAY} starts of a script with httpx and sqlite3: {script:.1f} s"
        + before_text(days.get("before"), lambda seconds: f"{seconds:.1f} s"),
        ratio=days["now"] / days["before"] if "before" in days else None,
        goal=1.0 if "before" in days else None,
        figures={"script_s": script} | figures_of(days, lambda seconds: {"cpu_s": seconds}),
    )
    if together is not None:
        yield Result(
            what=f"CPU of a day, {_CHECKS_A_DAY} checks of accounts that began together, from one visit to all of them",
            ours=f"{together:.1f} s",
            figures={"now_cpu_s": together},
        )


def _day(office: Office, program: Path, scale: Scale, *, together: bool = False) -> float:
    """Return the CPU seconds of a day. The accounts are due evenly over the four hours, or `together`."""
    with _prepared(office, program, together=together) as (home, clock):
        clock.follow_leaps(_SLICE)
        with running(home, program, clock.environ) as daemon:
            time.sleep(scale.settle)
            began, took = clock.now(), cpu(daemon.pid)
            _pass(clock, daemon, scale.day, _FAST)
            passed, took = clock.now() - began, cpu(daemon.pid) - took
        checks = query(home, "SELECT count(*) FROM account WHERE last_read_at > ?", stored(began))
        if checks[0][0] != min(_ACCOUNTS, round(scale.day / _EVERY * _ACCOUNTS)):
            progress(f"{checks[0][0]} accounts were checked")
        return took * (_DAY / passed)


def start_and_stop(scale: Scale) -> Iterator[Result]:
    """Measure the start of the daemon, and how soon it ends at rest."""
    progress(f"start and end of the daemon: {(scale.starts + 2) // 3} times")
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in scale.programs}
    with open_office() as office, ExitStack() as stack:
        homes = {name: stack.enter_context(_prepared(office, each)) for name, each in scale.programs.items()}
        for _ in range((scale.starts + 2) // 3):
            for name, program in scale.programs.items():
                home, clock = homes[name]
                clock.follow_leaps(_SLICE)
                with running(home, program, clock.environ) as daemon:
                    time.sleep(0.5)
                    _pass(clock, daemon, timedelta(minutes=20), _FASTER)
                    taken[name].append((daemon.ready_cpu, daemon.ready_wall, daemon.stop()))
    medians = {name: [statistics.median(each) for each in zip(*rows, strict=True)] for name, rows in taken.items()}
    slowest = max(stop for *_, stop in taken["now"])
    yield Result(
        what="CPU of watcher run until it is ready",
        ours=f"{medians['now'][0]:.2f} s CPU, {medians['now'][1]:.2f} s",
        floor=before_text(medians.get("before"), lambda row: f"{row[0]:.2f} s CPU, {row[1]:.2f} s"),
        ratio=medians["now"][0],
        goal=_START,
        figures=figures_of(medians, lambda row: {"cpu_s": row[0], "wall_s": row[1]}),
    )
    yield Result(
        what="from SIGTERM to the end, at rest",
        ours=f"{medians['now'][2]:.2f} s, at most {slowest:.2f}",
        floor=before_text(medians.get("before"), lambda row: f"{row[2]:.2f} s"),
        ratio=slowest,
        goal=_STOP,
        figures={"slowest_s": slowest} | figures_of(medians, lambda row: {"wall_s": row[2]}),
    )


@contextmanager
def _prepared(office: Office, program: Path, *, together: bool = False) -> Iterator[tuple[Path, DrivenClock]]:
    """Prepare ten accounts whose cases are known, due one after the other or `together`, and an alert in the outbox."""
    with folder() as home, driven_clock(home) as clock:
        cases = receipts(_ACCOUNTS * _CASES)
        accounts = (
            account(office, cases[place * _CASES : (place + 1) * _CASES], name=f"family{place}")
            for place in range(_ACCOUNTS)
        )
        configured(home, "".join(accounts) + channel("phone", office.phone, "max_per_hour = 0"))
        check(home, program)
        _spread(home, clock.now(), timedelta() if together else _EVERY / _ACCOUNTS)
        yield home, clock


def check(home: Path, program: Path) -> None:
    """Run `watcher check` of this checkout."""
    subprocess.run(
        [sys.executable, "-m", "watcher", "check"],
        cwd=home,
        env={**environment(), "PYTHONPATH": str(program)},
        check=True,
        capture_output=True,
        timeout=300,
    )


def _spread(home: Path, now: datetime, apart: timedelta) -> None:
    with closing(sqlite3.connect(home / "state" / "watcher.sqlite3")) as database:
        for place in range(_ACCOUNTS):
            due = now + _EVERY / _ACCOUNTS / 2 + apart * place
            database.execute("UPDATE account SET next_read_at = ? WHERE name = ?", (stored(due), f"family{place}"))
        database.commit()


def stored(moment: datetime) -> str:
    """Return a moment as the database stores it."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _wait_until_checked(home: Path, since: datetime) -> None:
    unread = "SELECT count(*) FROM account WHERE last_read_at IS NULL OR last_read_at < ?"
    wait_for(home, f"SELECT 1 WHERE ({unread}) = 0", stored(since), within=60)


def _pass(clock: DrivenClock, daemon: Daemon, span: timedelta, speed: float) -> None:
    """Let time pass, so many times as fast while all processes wait, and at its true pace while one works."""
    until = clock.now() + span
    while clock.now() < until:
        if is_waiting(daemon.pid):
            clock.set_speed(speed)
            while clock.now() < until and not is_running(daemon.pid):
                time.sleep(_LOOK)
            clock.set_speed(1)


def _bare(home: Path, imports: str) -> float:
    """Return the resident memory of a Python that has imported this and sleeps."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{imports}\nprint(flush=True)\ntime.sleep(999)"],
        cwd=home,
        env=environment(),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        used = memory(process.pid).rss
        process.kill()
    return used


def _script(office: Office, home: Path, times: int) -> float:
    """Return the median CPU seconds of a script that asks for an account's cases and stores the answers."""
    taken = []
    for _ in range(times):
        before = children_cpu()
        subprocess.run(
            [sys.executable, "-c", _SCRIPT, home / "plain.sqlite3", office.origin, *receipts(_CASES)],
            env=environment(),
            check=True,
        )
        taken.append(children_cpu() - before)
    return statistics.median(taken)


def children_cpu() -> float:
    """Return the CPU seconds of all children of this process that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def before_text(before: _T | None, text: Callable[[_T], str]) -> str:
    """Return what the older checkout measured, if there is one."""
    return "" if before is None else f"; before: {text(before)}"


def figures_of(programs: Mapping[str, _T], of: Callable[[_T], Mapping[str, float]]) -> dict[str, float]:
    """Return the figures of each program, by name."""
    return {f"{name}_{key}": value for name, each in programs.items() for key, value in of(each).items()}


def _skipped(what: str) -> Result:
    return Result(what=what, ours="SKIPPED: the driven clock needs a C compiler")
