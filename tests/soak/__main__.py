"""`python -m tests.soak --minutes N`: a long run under faults, and its resource use."""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak.reckoning import Held, reckon
from tests.soak.world import World, world


def main() -> int:
    """Return 0 if nothing was lost and nothing grew, else 1 after printing what did."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--seed", type=int, default=None)
    words = asked.parse_args()
    seed = int(time.time()) if words.seed is None else words.seed
    with TemporaryDirectory() as folder, world(Path(folder), seed) as lived:
        _live_and_die(lived, deaths=2)
        before = Held.now()
        until = time.monotonic() + words.minutes * 60
        while time.monotonic() < until:
            _live_and_die(lived, deaths=10)
        lived.settle()
        grown, reckoning = Held.now() - before, reckon(lived)
    faults = ", ".join(f"{what} {times}" for what, times in lived.faults.items())
    sys.stdout.write(
        f"seed {seed}: {lived.rounds} rounds; faults: {faults}; {lived.refusals} times the books could not be used;"
        f" {reckoning.statuses} statuses told; stories that differ: {', '.join(reckoning.differing) or 'none'};"
        f" {reckoning.alerts} alerts, of which not sent {reckoning.waiting}, lost {reckoning.lost},"
        f" come twice {reckoning.twice}; at the end more than at the start: {grown.files} open files,"
        f" {grown.memory} KiB\n"
    )
    return int(grown.is_much(reckoning.statuses) or not reckoning.is_good or reckoning.twice > lived.faults["kill"])


def _live_and_die(lived: World, *, deaths: int) -> None:
    """Run the program once, with kills during the run and one after it."""
    with lived.program() as app:
        for _ in range(deaths):
            lived.live(app, 20)
            lived.die(beside=app)
    lived.die()


if __name__ == "__main__":
    sys.exit(main())
