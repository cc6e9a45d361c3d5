"""Measure a program that consists of several processes, which come and go: their memory, CPU time, and wake-ups."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread, get_native_id

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE_SHARE = 0.1
_SAMPLE = 0.01  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """MiB. `rss` counts what processes share once for each of them, `pss` once altogether."""

    rss: float = 0.0
    pss: float = 0.0


def family(pid: int) -> list[int]:
    """Return a process and all its descendants that have not ended."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                with suppress(OSError):
                    found += map(int, (task / "children").read_text("ascii").split())
    return [pid, *(each for each in found[1:] if _state(Path(f"/proc/{each}")) != "Z")]


def memory(pid: int) -> Memory:
    """Return the memory of a process and its descendants together."""
    rss = pss = 0
    for each in family(pid):
        with suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text("ascii").splitlines():
                name, _, value = line.partition(":")
                rss += int(value.split()[0]) if name == "Rss" else 0
                pss += int(value.split()[0]) if name == "Pss" else 0
    return Memory(rss=rss / 1024, pss=pss / 1024)


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, including those that have ended and were waited for.

    Those that ended are counted by the system in hundredths of a second.
    """
    return sum(_cpu(each) for each in family(pid))


def _cpu(pid: int) -> float:
    nanoseconds = ended = 0
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                nanoseconds += int((task / "schedstat").read_text("ascii").split()[0])
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        ended = int(fields[13]) + int(fields[14])
    return nanoseconds / 1e9 + ended / _TICK


def is_waiting(pid: int, seconds: float = 0.25) -> bool:
    """Look at a process and its descendants for so long. Return whether all waited: for time, or for another process.

    This process must wait too, apart from this thread: it may be what they wait for. A thread that wakes up a hundred
    times a second to look at a clock counts as waiting.
    """
    looks, before = 5, cpu(pid)
    for _ in range(looks):
        if is_running(pid) or any(map(_runs, _tasks(os.getpid()))):
            return False
        time.sleep(seconds / looks)
    return cpu(pid) - before < _IDLE_SHARE * seconds


def is_running(pid: int) -> bool:
    """Return whether a thread of a process or its descendants runs at this moment, or could."""
    return any(_runs(task) for each in family(pid) for task in _tasks(each))


def _tasks(pid: int) -> list[Path]:
    """Return the threads of a process, except this one."""
    with suppress(OSError):
        return [task for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(get_native_id())]
    return []


def _runs(task: Path) -> bool:
    return _state(task) in {"R", "D"}


def _state(process: Path) -> str:
    """Return the state of a process or thread, as in proc(5); "Z" if it is gone altogether."""
    with suppress(OSError):
        return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    return "Z"


def switches(pid: int) -> int:
    """Return how often the threads of a process and its descendants gave up the processor: their wake-ups."""
    count = 0
    for each in family(pid):
        for task in Path(f"/proc/{each}/task").iterdir():
            text = (task / "status").read_text("ascii")
            count += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("voluntary_ctxt"))
    return count


@dataclass(slots=True)
class Peak:
    """The most resident memory that the processes had at one moment, in MiB, as far as was seen."""

    mib: float = 0.0
    processes: int = 0


@contextmanager
def watching_peak(pid: int) -> Iterator[Peak]:
    """Look a hundred times a second until the context ends."""
    peak, ended = Peak(), Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE):
            alive = family(pid)
            now = sum(resident(each) for each in alive)
            if now > peak.mib:
                peak.mib, peak.processes = now, len(alive)

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def resident(pid: int) -> float:
    """Return the resident memory of one process in MiB; 0 if it has ended."""
    with suppress(OSError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1024**2
    return 0.0


def ended(pid: int, within: float) -> float | None:
    """Wait until a child process has ended; return after how many seconds, or None if it lives on."""
    began = time.monotonic()
    while time.monotonic() - began < within:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return time.monotonic() - began
        time.sleep(0.002)
    return None
