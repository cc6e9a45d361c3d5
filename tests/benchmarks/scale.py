"""The scale of the measurements: full for the documents, quick for development, tiny for a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`sizes` are numbers of cases in ascending order; `repeats` is the number of runs, of which the median counts.

    `settle` and `watch` are seconds: how long the daemon is left alone before, and while, it is looked at. `hour` is in
    how many seconds an hour passes, `day` the part of a day that passes. `history` is how many cases have years of
    changes. `programs` are the folders of the checkouts to measure: this one is `now`. `peers` is where other programs
    are installed, None if they are not measured.
    """

    programs: Mapping[str, Path] = field(default_factory=lambda: {"now": ROOT})
    peers: Path | None = None

    sizes: tuple[int, ...] = (100, 1_000, 10_000)
    latencies: tuple[int, ...] = (0, 50)
    repeats: int = 5
    settle: float = 20.0
    watch: float = 60.0
    hour: float = 60.0
    day: timedelta = timedelta(hours=4)
    history: int = 10_000
    storm: int = 1_000
    flood: int = 10_000
    starts: int = 15

    @property
    def middle(self) -> int:
        """The number of cases for what is measured at one size."""
        return self.sizes[len(self.sizes) // 2]


FULL = Scale()
QUICK = Scale(
    sizes=(100, 500, 1_000),
    repeats=3,
    settle=5.0,
    watch=20.0,
    hour=20.0,
    day=timedelta(minutes=72),
    history=1_000,
    storm=200,
    flood=2_000,
    starts=5,
)
TINY = Scale(
    sizes=(2, 4),
    latencies=(0,),
    repeats=1,
    settle=1.0,
    watch=0.5,
    hour=1.0,
    day=timedelta(minutes=2),
    history=3,
    storm=4,
    flood=20,
    starts=1,
)
