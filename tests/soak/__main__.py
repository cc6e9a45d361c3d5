"""`python -m tests.soak --minutes N`: the same life, for longer, and what it cost."""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak.reckoning import Held, reckon
from tests.soak.world import World, world


def main() -> int:
    """0: nothing was lost, nothing grew. 1: something did, and is named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--seed", type=int, default=None)
    words = asked.parse_args()
    seed = int(time.time()) if words.seed is None else words.seed
    with TemporaryDirectory() as folder, world(Path(folder), seed) as lived:
        lived.live(50)
        before = Held.now()
        _live_for(lived, words.minutes * 60)
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
    return int(grown.is_much or not reckoning.is_good or reckoning.twice > lived.faults["kill"])


def _live_for(lived: World, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        lived.live(20)
        lived.die()


if __name__ == "__main__":
    sys.exit(main())
