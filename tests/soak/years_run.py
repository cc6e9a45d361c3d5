"""Five years from a seed, and what they came to."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.adversary.oracle import Verdict
from tests.soak.household_years import START, household
from tests.soak.upkeep import Upkeep, log_growth

_YEAR = timedelta(days=365)
_QUIET = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """`faults` are all that was wrong. `before` is from the start of year two, or from a fifth of a shorter run."""

    verdict: Verdict
    faults: tuple[str, ...]
    counts: Counter[str]
    before: Upkeep
    after: Upkeep
    seconds: float


def live(folder: Path, seed: int, span: timedelta, *, every: timedelta = timedelta(days=1)) -> Years:
    """Live through this span, with a new release in the middle of the second and of the third fifth.

    The supervisor is killed only before the last two fifths and not shortly before the first measurement, so that
    what it holds is what a long life has left.
    """
    began, year = time.monotonic(), span / 5
    with household(folder, seed, every=every) as lived:
        yearly: list[int] = []
        before: Upkeep | None = None
        for number in range(1, 6):
            logged = _size(folder)
            lived.supervisor_may_die = number <= 3
            if number in (2, 3):
                lived.live(START + year * (number - 0.5))
                lived.upgrade(f"0.{number}.0")
            lived.live(START + year * number - min(_QUIET, year / 4))
            lived.supervisor_may_die = False
            lived.live(START + year * number)
            if before is None:
                before = lived.upkeep()
            yearly.append(_size(folder) - logged)
        lived.settle()
        after = lived.upkeep()
        assert before is not None
        found = [*lived.last_faults(), *after.more_than(before), *(log_growth(yearly) if year >= _YEAR / 2 else ())]
        verdict = lived.verdict()
        lived.counts["kills"] = len(lived.commands.kills)
        return Years(
            verdict=verdict,
            faults=(*found, *verdict.faults),
            counts=lived.counts,
            before=before,
            after=after,
            seconds=time.monotonic() - began,
        )


def _size(folder: Path) -> int:
    log = folder / "output.log"
    return log.stat().st_size if log.exists() else 0
