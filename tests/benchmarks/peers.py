"""Other programs that watch web pages, each installed in an environment of its own, with the same pages to watch.

urlwatch and webchanges are started by a timer and end; changedetection.io stays. A program that cannot be installed
here is skipped, and the table says so.
"""

import json
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_server

from tests.benchmarks.gauge import Result, progress
from tests.benchmarks.household import folder, receipts
from tests.benchmarks.idle import children_cpu
from tests.benchmarks.office import Office, open_office
from tests.benchmarks.processes import cpu, memory, switches, watching_peak
from tests.benchmarks.running import NotMeasured
from tests.benchmarks.scale import Scale

_PAGES = 10
_VISITS_A_DAY = 6
_INSTALL_WITHIN, _START_WITHIN, _RUN_WITHIN = 900, 90.0, 120


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that ended. `peak` is MiB of its largest process."""

    cpu: float
    peak: float


def peers(scale: Scale) -> Iterator[Result]:
    """Measure each with ten pages; nothing if it was not asked for."""
    if scale.peers is None:
        return
    with open_office() as office:
        for name in ("urlwatch", "webchanges"):
            python = _installed(scale.peers, name)
            yield _skipped(name) if python is None else _timed(name, python, office, scale.starts)
        python = _installed(scale.peers, "changedetection.io")
        yield _skipped("changedetection.io") if python is None else _staying(python, office, scale)


def _installed(environments: Path, name: str) -> Path | None:
    """Return the Python of the program's environment; None if it cannot be installed."""
    place = environments / name
    python = place / "bin" / "python"
    if not (place / "installed").exists():
        progress(f"installing {name}")
        try:
            venv.create(place, with_pip=True)
            subprocess.run(
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name],
                check=True,
                timeout=_INSTALL_WITHIN,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        (place / "installed").touch()
    return python


def _skipped(name: str) -> Result:
    return Result(what=f"peer {name}", ours="SKIPPED: it cannot be installed here")


def _timed(name: str, python: Path, office: Office, times: int) -> Result:
    """Measure a program that a timer starts: at rest it has no process, and a day has six visits of ten pages."""
    progress(f"{name}: {times} runs")
    with folder() as home:
        jobs = "---\n".join(f"name: {number}\nurl: {office.origin}/case-status/{number}\n" for number in _numbers())
        (home / "jobs.yaml").write_text(jobs, "utf-8")
        runs = [_run(name, python, home) for _ in range(times + 1)][1:]  # the first one stores the pages
    each = sorted(runs, key=lambda run: run.cpu)[len(runs) // 2]
    return Result(
        what=f"peer {name}, started by a timer, {_PAGES} pages, {_VISITS_A_DAY} visits a day",
        ours=f"no memory at rest; CPU of a day {each.cpu * _VISITS_A_DAY:.1f} s; {each.peak:.1f} MiB during a visit",
        figures={"cpu_s_a_visit": each.cpu, "peak_mib": each.peak},
    )


def _numbers() -> tuple[str, ...]:
    return receipts(_PAGES)


def _run(name: str, python: Path, home: Path) -> _Run:
    options = (
        ("--urls", "jobs.yaml", "--cache", "seen.db")
        if name == "urlwatch"
        else ("--jobs", "jobs.yaml", "--database", "seen.db")
    )
    (home / "config.yaml").touch()
    before = children_cpu()
    with (
        subprocess.Popen(
            [python.with_name(name), *options, "--config", "config.yaml"],
            cwd=home,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process,
        watching_peak(process.pid) as peak,
    ):
        _, errors = process.communicate(timeout=_RUN_WITHIN)
    if process.returncode:
        raise NotMeasured(f"{name}: {errors.decode()}")
    return _Run(cpu=children_cpu() - before, peak=peak.mib)


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def _staying(python: Path, office: Office, scale: Scale) -> Result:
    """Measure changedetection.io at rest, after it has fetched ten pages."""
    progress("changedetection.io at rest")
    with create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with folder() as home:
        (home / "data").mkdir()
        process = subprocess.Popen(
            [python.with_name("changedetection.io"), "-d", str(home / "data"), "-p", str(port), "-h", "127.0.0.1"],
            cwd=home,
            env=_environment(home) | {"ALLOW_IANA_RESTRICTED_ADDRESSES": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_answers(process, port)
            fetched = _watch_pages(home, port, office)
            time.sleep(scale.watch)
            woken, took = switches(process.pid), cpu(process.pid)
            time.sleep(scale.watch)
            wakes, took = switches(process.pid) - woken, cpu(process.pid) - took
            used = memory(process.pid)
        finally:
            process.kill()
            process.wait()
    minutes = scale.watch / 60
    return Result(
        what=f"peer changedetection.io at rest, {fetched} pages",
        ours=f"{used.rss:.1f} MiB RSS, {used.pss:.1f} PSS; {wakes / minutes:.0f} wake-ups a minute; CPU of a day"
        f" without a visit {took / minutes * 1440:.0f} s",
        figures={"rss_mib": used.rss, "pss_mib": used.pss, "per_minute": wakes / minutes, "pages": fetched},
    )


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + _START_WITHIN
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            return
        time.sleep(0.5)
    raise TimeoutError("changedetection.io does not answer")


def _watch_pages(home: Path, port: int, office: Office) -> int:
    """Add the pages through its API, and return how many it has taken; 0 if its API is not as known here."""
    key = next(_keys(home), "")
    taken = 0
    for number in _numbers() if key else ():
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        page = json.dumps({"url": f"{office.origin}/case-status/{number}"})
        connection.request("POST", "/api/v1/watch", page, {"x-api-key": key, "Content-Type": "application/json"})
        taken += connection.getresponse().status < 300
        connection.close()
    return taken


def _keys(home: Path) -> Iterator[str]:
    for file in sorted((home / "data").glob("*.json")):
        with suppress(ValueError, KeyError, TypeError):
            yield json.loads(file.read_text("utf-8"))["settings"]["application"]["api_access_token"]
