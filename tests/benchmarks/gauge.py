"""Measure a piece of work: wall and CPU seconds of this process, and bytes written; and format the results."""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """`wall` and `cpu` are seconds; `written` is bytes passed to the kernel for writing (files and sockets)."""

    wall: float
    cpu: float
    written: int = 0


def measured(work: Callable[[], object]) -> Took:
    """Measure one run."""
    before, cpu, wall = written(), time.process_time(), time.perf_counter()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Took(wall=wall, cpu=cpu, written=written() - before)


def interleaved(works: Mapping[str, Callable[[], object]], times: int) -> dict[str, Took]:
    """Return the median of each. All are run in turn, so that noise of the machine affects all alike."""
    taken: dict[str, list[Took]] = {name: [] for name in works}
    for _ in range(times):
        for name, work in works.items():
            taken[name].append(measured(work))
    return {name: median(each) for name, each in taken.items()}


def median(taken: Sequence[Took]) -> Took:
    """Return the median of each figure."""
    return Took(
        wall=statistics.median(each.wall for each in taken),
        cpu=statistics.median(each.cpu for each in taken),
        written=int(statistics.median(each.written for each in taken)),
    )


def written(pid: int | str = "self", what: str = "write_bytes") -> int:
    """Return the bytes that the process has caused to be written, from /proc/PID/io; 0 without that file.

    `write_bytes` is what goes to disk, in whole pages; `wchar` everything passed to the kernel, sockets too.
    """
    io = Path(f"/proc/{pid}/io")
    if not io.exists():
        return 0
    return int(dict(line.split(": ") for line in io.read_text("ascii").splitlines())[what])


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table. `ratio` is the value that the goal limits, in any unit; None if there is no goal."""

    what: str
    ours: str
    floor: str = ""
    ratio: float | None = None
    goal: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        return None if self.ratio is None or self.goal is None else self.ratio <= self.goal

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "figures": dict(self.figures), "met": self.met}


def table(results: Iterable[Result]) -> str:
    """Return the results as a Markdown table."""
    head = ("what", "measured", "beside it", "figure", "goal", "")
    rows = [head, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(result: Result) -> tuple[str, ...]:
    figure = "" if result.ratio is None else f"{result.ratio:.3g}"
    goal = "" if result.goal is None else f"≤ {result.goal:g}"
    return (result.what, result.ours, result.floor, figure, goal, {None: "", True: "met", False: "MISSED"}[result.met])


def progress(text: str) -> None:
    """Print on standard error what is being measured."""
    print(f"  {text}", file=sys.stderr, flush=True)  # noqa: T201 - it runs for minutes
