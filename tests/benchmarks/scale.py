"""The scale of the measurements: full for the documents, quick for development, tiny for a test."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`sizes` are numbers of cases in ascending order; `repeats` is the number of runs, of which the median counts.

    `settle` and `watch` are seconds: how long the daemon is left alone before, and while, it is looked at. `history`
    is how many cases have years of changes.
    """

    sizes: tuple[int, ...] = (100, 1_000, 10_000)
    latencies: tuple[int, ...] = (0, 50)
    repeats: int = 5
    settle: float = 60.0
    watch: float = 60.0
    history: int = 10_000
    storm: int = 1_000
    starts: int = 15

    @property
    def middle(self) -> int:
        """The number of cases for what is measured at one size."""
        return self.sizes[len(self.sizes) // 2]


FULL = Scale()
QUICK = Scale(sizes=(100, 500, 1_000), repeats=3, settle=20.0, watch=20.0, history=1_000, storm=200, starts=5)
TINY = Scale(sizes=(2, 4), latencies=(0,), repeats=1, settle=1.0, watch=0.5, history=3, storm=4, starts=1)
