"""What a daemon holds at rest, and whether it has become more with the years."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.adversary.processes import query
from tests.benchmarks.processes import family, memory

_MEMORY, _PEAK = 2.0, 16.0  # MiB more than before
_BYTES_FOR_A_CHANGE = 24 * 1024  # in the database, with its alerts for two channels and the answers
_LOG = 1.5
"""How many times as much a step may log as before: what is logged depends on the faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """`memory` is MiB at rest, `peaks` those of each kind of process at work; `database` and `log` are bytes."""

    descriptors: int
    threads: int
    processes: int
    memory: float
    peaks: Mapping[str, float]
    database: int
    changes: int
    log: int

    def more_than(self, before: "Upkeep") -> Iterator[str]:
        """Yield what has become more than the years explain."""
        for what in ("descriptors", "threads", "processes"):
            now, then = getattr(self, what), getattr(before, what)
            if now > then:
                yield f"{what}: {then}, now {now}"
        if self.memory > before.memory + _MEMORY:
            yield f"memory at rest: {before.memory:.1f} MiB, now {self.memory:.1f}"
        for kind in self.peaks.keys() & before.peaks:
            if self.peaks[kind] > before.peaks[kind] + _PEAK:
                yield f"memory of {kind}: {before.peaks[kind]:.1f} MiB, now {self.peaks[kind]:.1f}"
        allowed = before.database + _BYTES_FOR_A_CHANGE * (self.changes - before.changes)
        if self.database > allowed:
            yield f"database: {self.database:,} bytes with {self.changes} changes; {allowed:,} allowed"


def upkeep(pid: int, database: Path, log: Path, peaks: Mapping[str, float]) -> Upkeep:
    """Measure a daemon at rest. `peaks` are what its processes have taken."""
    process = Path(f"/proc/{pid}")
    rows = query(database, 'SELECT count(*) FROM "change"')
    return Upkeep(
        descriptors=len(list((process / "fd").iterdir())),
        threads=len(list((process / "task").iterdir())),
        processes=len(family(pid)),
        memory=memory(pid).rss,
        peaks=peaks,
        database=sum(file.stat().st_size for file in database.parent.glob("watcher.sqlite3*")),
        changes=rows[0][0] if rows else 0,
        log=log.stat().st_size,
    )


def kind_and_peak(pid: int) -> tuple[str, float]:
    """Return a process's module and the most memory that it has taken, in MiB; nothing if it has ended."""
    with suppress(OSError, ValueError, IndexError):
        *_, kind, _ = Path(f"/proc/{pid}/cmdline").read_text("utf-8").split("\0")
        _, _, peak = Path(f"/proc/{pid}/status").read_text("utf-8").partition("VmHWM:")
        return kind, int(peak.split()[0]) / 1024
    return "", 0.0


def log_growth(yearly: list[int]) -> Iterator[str]:
    """Yield if the last year logged more than the second one. `yearly` are bytes."""
    if len(yearly) > 2 and yearly[-1] > _LOG * yearly[1]:
        yield f"log: {yearly[1]:,} bytes in year two, {yearly[-1]:,} in the last one"
