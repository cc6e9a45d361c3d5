"""`python -m tests.soak.years --years 5`: the real supervisor and its workers through years, and what has grown."""

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.doubles.driven_clock import is_possible
from tests.soak.years_run import Years, live


def main() -> int:
    """Return 0 if nothing was lost, invented, or has grown, else 1 after printing what did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=float, default=5.0)
    parser.add_argument("--every", type=float, default=2.0, metavar="DAYS", help="how often each account is checked")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="live in this new folder, and keep it")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    if not is_possible():
        sys.stdout.write("SKIPPED: the driven clock needs a C compiler\n")
        return 0
    with TemporaryDirectory(prefix="years-") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        years = live(folder, seed, timedelta(days=365) * options.years, every=timedelta(days=options.every))
    _print(seed, years)
    return int(bool(years.faults))


def _print(seed: int, years: Years) -> None:
    counts = ", ".join(f"{what} {times}" for what, times in sorted(years.counts.items()))
    verdict = years.verdict
    sys.stdout.write(
        f"seed {seed}, {years.seconds / 60:.1f} minutes: {counts}\n"
        f"{verdict.happenings} events, {verdict.alerts} alerts, lost {len(verdict.lost)}, invented"
        f" {len(verdict.invented)}, untrue {len(verdict.untrue)}, twice {verdict.after_acceptance + verdict.in_flight}"
        f" after a kill, {len(verdict.unproved)} without one\n"
        f"at the start of year two: {years.before}\nat the end: {years.after}\n"
    )
    sys.stdout.writelines(f"  {fault}\n" for fault in years.faults)


if __name__ == "__main__":
    sys.exit(main())
