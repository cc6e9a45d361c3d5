"""`python -m tests.soak --minutes N`: the same life, for longer, and what it cost."""

import argparse
import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from tests.soak.world import NUMBERS, open_files, resident_kib, story_in, unsent, world

_MOST_GROWTH_KIB = 20_000


def main() -> int:
    """0: nothing was lost, nothing grew. 1: something did, and is named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--seed", type=int, default=None)
    words = asked.parse_args()
    seed = int(time.time()) if words.seed is None else words.seed
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with TemporaryDirectory() as folder, world(Path(folder), seed) as lived:
        lived.live(50)
        files, memory = open_files(), resident_kib()
        until = time.monotonic() + words.minutes * 60
        while time.monotonic() < until:
            lived.live(200)
            lived.die()
        lived.settle()
        with lived.program() as app:
            wrong = [number for number in NUMBERS if story_in(app, number) != lived.told[number]]
            waiting = unsent(app)
        left = {"files": open_files() - files, "memory_kib": resident_kib() - memory}
        changes = sum(map(len, lived.told.values()))
        sys.stdout.write(
            f"seed {seed}: {lived.rounds} rounds, {lived.faults} faults, {changes} statuses told; stories that differ:"
            f" {wrong or 'none'}; alerts not sent: {waiting or 'none'}; at the end more than at the start:"
            f" {left['files']} open files, {left['memory_kib']} KiB\n"
        )
        return int(bool(wrong or waiting or left["files"] > 2 or left["memory_kib"] > _MOST_GROWTH_KIB))


if __name__ == "__main__":
    sys.exit(main())
