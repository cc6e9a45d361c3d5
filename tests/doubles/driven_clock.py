"""A clock that real commands share and a test drives: it goes as fast as told, stands, or leaps.

Both the time of day and the time that waits are measured by move, so it looks as if the time had passed. The time of
day alone can be moved too (`set_wall`), as by a correction or a sleep of the machine. It is a library that the system
loads into each process before its own, so the commands run as they are.
"""

import mmap
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

_LAYOUT = struct.Struct("=Qqqqqd")  # struct clock_file in driven_clock.c
_NS = 1_000_000_000
_SLICE = timedelta(milliseconds=10)


class DrivenClock:
    """The clock. `environ` goes to the commands whose clock it is. A `Clock` itself."""

    def __init__(self, library: Path, file: Path, start: datetime | None = None) -> None:
        """Start at this moment, or now, at the true pace."""
        self.environ = {"LD_PRELOAD": str(library), "TEST_CLOCK": str(file)}
        file.write_bytes(bytes(_LAYOUT.size))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _LAYOUT.size)
        self._changes, self._slice, self._speed = 0, 0, 1.0
        self._true_base = self._base = time.monotonic_ns()
        self._ahead = _since_1970(start or datetime.now(UTC)) - self._base
        self._write()

    def now(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=(self._monotonic() + self._ahead) // 1000)

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()

    def set_speed(self, speed: float) -> None:
        """Go so many times as fast from now on. Waits that have begun keep the pace at which they began."""
        self._base, self._true_base = self._monotonic(), time.monotonic_ns()
        self._speed = speed
        self._write()

    def follow_leaps(self, within: timedelta = _SLICE) -> None:
        """Let waits notice leaps, and changes of the speed, within this true time. They wake up so often."""
        self._slice = _ns(within)
        self._write()

    def ignore_leaps(self) -> None:
        """Let waits last to their end again. Those that have begun notice within moments."""
        self._slice = 0
        self._write()

    def leap(self, span: timedelta) -> None:
        """Let this time pass at once."""
        self._base += _ns(span)
        self._write()

    def set_wall(self, span: timedelta) -> None:
        """Set the time of day ahead, or back."""
        self._ahead += _ns(span)
        self._write()

    def close(self) -> None:
        self._shared.close()

    def _monotonic(self) -> int:
        return self._base + round((time.monotonic_ns() - self._true_base) * self._speed)

    def _write(self) -> None:
        fields = self._true_base, self._base, self._ahead, self._slice, self._speed
        self._shared[:8] = (self._changes + 1).to_bytes(8, "little")
        self._changes += 2
        self._shared[8:] = _LAYOUT.pack(0, *fields)[8:]
        self._shared[:8] = self._changes.to_bytes(8, "little")


def is_possible() -> bool:
    """Return whether this machine has a C compiler."""
    return shutil.which("cc") is not None


@contextmanager
def driven_clock(folder: Path, start: datetime | None = None) -> Iterator[DrivenClock]:
    """Build the library in the folder, and keep the clock there."""
    library = folder / "driven_clock.so"
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)  # noqa: S607
    clock = DrivenClock(library, folder / "clock", start)
    try:
        yield clock
    finally:
        clock.close()


def _ns(span: timedelta) -> int:
    return round(span / timedelta(microseconds=1)) * 1000


def _since_1970(moment: datetime) -> int:
    return _ns(moment - datetime.fromtimestamp(0, UTC))
