"""`python -m tests.benchmarks`: measure, print a table, and with `--json FILE` write every figure."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import busy, checks, delivery, flood, growth, idle, page, peers, starts, transports
from tests.benchmarks.gauge import Result, table
from tests.benchmarks.scale import FULL, QUICK, TINY, Scale
from watcher.monitoring import logs

MEASUREMENTS: dict[str, Callable[[Scale], Iterator[Result]]] = {
    "unchanged": checks.unchanged,
    "changed": checks.changed,
    "writes": checks.writes,
    "http": transports.http_floor,
    "idle": idle.idle,
    "day": idle.day,
    "daemon": idle.start_and_stop,
    "peak": busy.peak,
    "health": busy.health,
    "page": page.page,
    "peers": peers.peers,
    "start": starts.cold_start,
    "years": growth.years,
    "alert": delivery.answer_to_alert,
    "storm": delivery.storm,
    "flood": flood.flood,
    "size": growth.size,
}
_SCALES = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the selected benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(MEASUREMENTS)}")
    parser.add_argument(
        "--scale", choices=_SCALES, default="full", help="scale of the measurements; full takes about 15 minutes"
    )
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="also measure the daemon of an older checkout")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="install other programs there, and measure them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"unknown measurement: {', '.join(sorted(unknown))}")
    logs.configure(level="warning", environ={})
    scale = _SCALES[options.scale]
    if options.beside:
        scale = replace(scale, programs={**scale.programs, "before": options.beside.absolute()})
    if options.peers:
        scale = replace(scale, peers=options.peers.absolute())
    results: list[Result] = []
    for name in options.names or MEASUREMENTS:
        print(name, file=sys.stderr, flush=True)  # noqa: T201
        results += MEASUREMENTS[name](scale)
        if options.json:
            options.json.write_text(_document(results, options.scale), "utf-8")
    print(table(results))  # noqa: T201


def _document(results: Sequence[Result], scale: str) -> str:
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    document = {"scale": scale, "machine": machine, "results": [result.document() for result in results]}
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    main()
