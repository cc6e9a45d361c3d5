"""A process that has everything imported and forks a child for each command; the child dies where it is told to.

Reads one line of JSON for each command, {"words": [...], "die_before": N or null}, and answers with the child's exit
status. Death is `os._exit`: no transaction is rolled back in an orderly way, no `finally` runs, nothing is flushed.
"""

import importlib
import json
import os
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from watcher import cli
from watcher.cli import reading, standing  # noqa: F401 - imported before the fork, so that a child is quick
from watcher.portals import find

DEATH = 137


def main() -> None:
    """Serves until standard input ends."""
    importlib.import_module("apprise")
    for name in ("recipe", "uscis-api"):
        find(name)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(order["words"], order["die_before"])
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _live(words: list[str], die_before: int | None) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    count = 0

    def step(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == die_before:
            os._exit(DEATH)

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    sys.argv = ["watcher", *words]
    try:
        cli.main()
    except SystemExit as ended:
        os._exit(int(ended.code or 0))
    os._exit(0)


if __name__ == "__main__":
    main()
