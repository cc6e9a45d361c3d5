"""The clock of a run: the machine's, moved for every process of the run and for the portal at once."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.doubles.set_clock import SetClock, set_clock


@dataclass(slots=True)
class MovedClock:
    """The true time plus `offset`. Cannot be moved without a C compiler, because `processes` is None then."""

    processes: SetClock | None
    offset: timedelta = timedelta()

    @property
    def environ(self) -> dict[str, str]:
        return self.processes.environ if self.processes else {}

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()

    def move(self, span: timedelta) -> None:
        if self.processes is not None:
            self.offset += span
            self.processes.move(self.offset)


def moved_clock(folder: Path) -> MovedClock:
    """Return a clock that is right until it is moved."""
    clock = MovedClock(set_clock(folder) if shutil.which("cc") else None)
    clock.move(timedelta())
    return clock
