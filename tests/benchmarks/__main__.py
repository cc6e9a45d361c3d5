"""`python -m tests.benchmarks`: measures, prints a table, and with `--json FILE` writes every figure."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.benchmarks import books, delivery, idle, rounds, starts, transports
from tests.benchmarks.gauge import Result, table
from tests.benchmarks.scale import FULL, QUICK, TINY, Scale
from watcher.monitoring import logs

MEASUREMENTS: dict[str, Callable[[Scale], Iterator[Result]]] = {
    "unchanged": rounds.unchanged,
    "changed": rounds.changed,
    "writes": rounds.writes,
    "http": transports.http_floor,
    "idle": idle.idle,
    "start": starts.cold_start,
    "years": books.years,
    "alert": delivery.answer_to_alert,
    "storm": delivery.storm,
    "size": books.size,
}
_SCALES = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what is asked for; all of it by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(MEASUREMENTS)}")
    parser.add_argument("--scale", choices=_SCALES, default="full", help="how much of it; full takes some 15 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes every figure there")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}")
    logs.configure(level="warning", environ={})
    results: list[Result] = []
    for name in asked.names or MEASUREMENTS:
        print(name, file=sys.stderr, flush=True)  # noqa: T201
        results += MEASUREMENTS[name](_SCALES[asked.scale])
        if asked.json:
            asked.json.write_text(_document(results, asked.scale), "utf-8")
    print(table(results))  # noqa: T201


def _document(results: Sequence[Result], scale: str) -> str:
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    told = {"scale": scale, "machine": machine, "results": [result.document() for result in results]}
    return json.dumps(told, indent=2) + "\n"


if __name__ == "__main__":
    main()
