"""The daemon while it checks many cases: the memory of all its processes, and how soon it answers /healthz."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from tests.benchmarks.checks import read
from tests.benchmarks.gauge import Result, progress
from tests.benchmarks.household import account, channel, configured, folder, receipts
from tests.benchmarks.idle import before_text, figures_of, stored
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.processes import Peak, watching_peak
from tests.benchmarks.running import Daemon, query, running, wait_for
from tests.benchmarks.scale import Scale
from tests.benchmarks.seed import watching_for_long

_CHECKED_WITHIN = 300.0
_EVERY = 10  # one case in so many has changed
_LATENCY, _PEAK = 0.1, 1.0
_PAUSE = 0.02  # seconds between requests of the health page


def peak(scale: Scale) -> Iterator[Result]:
    """Measure the most memory of all processes while the daemon checks cases of which a tenth has changed."""
    size = scale.middle
    progress(f"memory of a check: {size} cases, {scale.repeats} times")
    seen: dict[str, list[Peak]] = {name: [] for name in scale.programs}
    with open_office() as office:
        for _ in range(scale.repeats):
            for name, program in scale.programs.items():
                with _about_to_check(office, size) as home, running(home, program) as daemon:
                    with watching_peak(daemon.pid) as peak_seen:
                        _wait_until_delivered(daemon)
                    seen[name].append(peak_seen)
    highest = {name: median(each.mib for each in peaks) for name, peaks in seen.items()}
    yield Result(
        what=f"most memory of all processes while {size:,} cases are checked, {size // min(size, _EVERY)} changed,"
        " alerts sent",
        ours=f"{highest['now']:.1f} MiB RSS, in up to {max(each.processes for each in seen['now'])} processes",
        floor=before_text(highest.get("before"), lambda mib: f"{mib:.1f} MiB RSS"),
        ratio=highest["now"] / highest["before"] if "before" in highest else None,
        goal=_PEAK if "before" in highest else None,
        figures=figures_of(highest, lambda mib: {"peak_mib": mib}),
    )


def health(scale: Scale) -> Iterator[Result]:
    """Measure how soon /healthz answers while the daemon checks the largest number of cases, and before."""
    size = scale.sizes[-1]
    progress(f"health page during a check of {size} cases")
    found = {}
    with open_office() as office:
        for name, program in scale.programs.items():
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            with _about_to_check(office, size, f'\n[health]\nlisten = "127.0.0.1:{port}"\n') as home:
                query(home, "UPDATE account SET next_read_at = ?", stored(datetime(2999, 1, 1, tzinfo=UTC)))
                with running(home, program) as daemon:
                    time.sleep(scale.settle / 4)
                    idle = [_asked(port) for _ in range(50)]
                    found[name] = (sorted(idle), sorted(_asked_while_checking(daemon, port)))
    now = found["now"]
    yield Result(
        what=f"/healthz while {size:,} cases are checked",
        ours=f"median {median(now[1]) * 1e3:.0f} ms, 99 % {_most(now[1]) * 1e3:.0f}, at most {now[1][-1] * 1e3:.0f},"
        f" of {len(now[1])} requests",
        floor=f"at rest: median {median(now[0]) * 1e3:.1f} ms, at most {now[0][-1] * 1e3:.0f}"
        + before_text(
            found.get("before"),
            lambda each: (
                f"median {median(each[1]) * 1e3:.0f} ms, 99 % {_most(each[1]) * 1e3:.0f}, at most"
                f" {each[1][-1] * 1e3:.0f}"
            ),
        ),
        ratio=now[1][-1],
        goal=_LATENCY,
        figures=figures_of(
            found,
            lambda each: {"median_s": median(each[1]), "p99_s": _most(each[1]), "max_s": each[1][-1]},
        ),
    )


def _most(ordered: list[float]) -> float:
    return ordered[len(ordered) * 99 // 100]


@contextmanager
def _about_to_check(office: Office, size: int, sections: str = "") -> Iterator[Path]:
    """Prepare a daemon whose account is due, with so many known cases, of which every tenth has changed."""
    cases = receipts(size)
    office.move(every=0, times=0)
    configuration = account(office, cases) + channel("phone", office.phone) + sections
    with folder() as home:
        with watching_for_long(home, account(office, cases), office, cases) as app:
            read(app)
        configured(home, configuration)
        query(home, "UPDATE account SET next_read_at = NULL")
        office.move(every=min(size, _EVERY), times=1)
        yield home


def _asked_while_checking(daemon: Daemon, port: int) -> list[float]:
    """Make the account due, as `watcher resume` does, and ask again and again until it was checked."""
    answers: list[float] = []
    began = datetime.now(UTC)
    query(daemon.home, "UPDATE account SET next_read_at = ?", stored(began))
    until = time.monotonic() + _CHECKED_WITHIN
    while time.monotonic() < until:
        answers.append(_asked(port))
        if query(daemon.home, "SELECT 1 FROM account WHERE last_read_at > ?", stored(began)):
            return answers
        time.sleep(_PAUSE)
    raise TimeoutError("the check did not end")


def _asked(port: int) -> float:
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    connection.close()
    return time.monotonic() - began


def _wait_until_delivered(daemon: Daemon) -> None:
    """Wait until the account was checked and nothing more can be sent at once."""
    wait_for(daemon.home, "SELECT 1 FROM \"change\" WHERE kind <> 'case_added'", within=_CHECKED_WITHIN)
    wait_for(daemon.home, "SELECT 1 FROM alert WHERE state = 'sent'", within=_CHECKED_WITHIN)
    time.sleep(1)
