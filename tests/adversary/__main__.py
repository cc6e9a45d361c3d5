"""`python -m tests.adversary`: attack the real command until there were enough kills, and judge what became of it."""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.adversary.world import Result, run_anew

_KILLS_OF_A_RUN = 150


def main() -> int:
    """Return 0 if nothing was lost, invented, or sent twice without a kill that explains it; else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the evidence of runs with faults")
    options = parser.parse_args()
    first = int(time.time()) if options.seed is None else options.seed
    until = time.monotonic() + options.minutes * 60
    results: list[Result] = []
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        seed = first
        running = set[Future[Result]]()
        while True:
            planned = sum(sum(result.kills.values()) for result in results) + _KILLS_OF_A_RUN * len(running)
            if planned < options.kills and time.monotonic() < until and len(running) < options.workers:
                size = min(_KILLS_OF_A_RUN, options.kills - planned)
                running.add(pool.submit(run_anew, seed, size, until - time.monotonic(), options.keep))
                seed += 1
                continue
            if not running:
                break
            done = {future for future in running if future.done()}
            running -= done
            for future in done:
                results.append(future.result())
                _print(results[-1])
            time.sleep(0.2)
    return _summary(first, results)


def _print(result: Result) -> None:
    sys.stdout.write(f"seed {result.seed}: {result.kills.total()} kills, {len(_faults(result))} faults\n")
    sys.stdout.writelines(f"  {fault}\n" for fault in _faults(result))
    sys.stdout.flush()


def _faults(result: Result) -> list[str]:
    return [*result.faults, *result.verdict.faults]


def _summary(seed: int, results: list[Result]) -> int:
    verdicts = [result.verdict for result in results]
    kills, counts = Counter[str](), Counter[str]()
    for result in results:
        kills += result.kills
        counts += result.counts
    after, in_flight = sum(each.after_acceptance for each in verdicts), sum(each.in_flight for each in verdicts)
    sys.stdout.write(
        f"seeds {seed} to {seed + len(results) - 1}: {kills.total()} kills ({_listed(kills)})\n"
        f"{sum(each.happenings for each in verdicts)} events, {sum(each.alerts for each in verdicts)} alerts, of which"
        f" lost {sum(len(each.lost) for each in verdicts)}, invented {sum(len(each.invented) for each in verdicts)},"
        f" untrue in the end {sum(len(each.untrue) for each in verdicts)},"
        f" dropped for a later one {sum(each.dropped for each in verdicts)}\n"
        f"sent twice: {after} with a kill between acceptance and commit, at most"
        f" {max((each.longest_gap for each in verdicts), default=0):.2f} s after it; {in_flight} accepted while the"
        f" sender was being killed; {sum(each.interrupted for each in verdicts)} because the database was taken away;"
        f" {sum(len(each.unproved) for each in verdicts)} without a proof\n"
        f"attacks and answers: {_listed(counts)}\n"
        f"other faults: {sum(len(result.faults) for result in results)}\n"
    )
    return int(any(_faults(result) for result in results))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
