"""Cold starts: how long a command takes, compared with Python itself."""

import resource
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.checks import read
from tests.benchmarks.gauge import Result, progress
from tests.benchmarks.household import account, command, folder, receipts, watching
from tests.benchmarks.office import open_office
from tests.benchmarks.scale import Scale

_CASES = 100


def cold_start(scale: Scale) -> Iterator[Result]:
    """Measure `watcher --version` and `watcher status` with a hundred cases."""
    progress(f"cold starts: {scale.starts} of each")
    with open_office() as office, folder() as home:
        with watching(home, account(office, receipts(min(_CASES, scale.sizes[-1])))) as app:
            read(app)
        took = started(
            home,
            {
                "bare": ("-c", "pass"),
                "libraries": ("-c", "import sqlmodel, pydantic_settings, structlog"),
                "version": ("watcher", "--version"),
                "status": ("watcher", "status"),
            },
            scale.starts,
        )
    bare, libraries = took["bare"], took["libraries"]
    for name, goal in (("version", 0.1), ("status", 0.3)):
        wall, cpu = took[name]
        what = "watcher --version" if name == "version" else f"watcher status, {_CASES} cases"
        yield Result(
            what=f"cold start: {what}",
            ours=f"{wall * 1e3:.0f} ms ({cpu * 1e3:.0f} ms CPU)",
            floor=f"python -c pass: {bare[0] * 1e3:.0f} ms; sqlmodel, pydantic-settings, structlog: "
            f"{libraries[0] * 1e3:.0f} ms ({libraries[1] * 1e3:.0f} ms CPU)",
            ratio=wall,
            goal=goal,
            figures={
                "wall_s": wall,
                "cpu_s": cpu,
                "bare_wall_s": bare[0],
                "bare_cpu_s": bare[1],
                "libraries_wall_s": libraries[0],
                "libraries_cpu_s": libraries[1],
            },
        )


def started(home: Path, commands: dict[str, tuple[str, ...]], times: int) -> dict[str, tuple[float, float]]:
    """Return the median wall and CPU seconds of each command, run in turn after one warm-up."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(times + 1):
        for name, words in commands.items():
            took = _run(home, words)
            if turn:
                taken[name].append(took)
    return {
        name: (statistics.median(wall for wall, _ in each), statistics.median(cpu for _, cpu in each))
        for name, each in taken.items()
    }


def _run(home: Path, words: tuple[str, ...]) -> tuple[float, float]:
    cpu, began = _children(), time.perf_counter()
    with command(*words, cwd=home) as process:
        _, errors = process.communicate(timeout=300)
    took = time.perf_counter() - began
    if process.returncode:
        raise subprocess.SubprocessError(f"{words}: {errors.decode()}")
    return took, _children() - cpu


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
