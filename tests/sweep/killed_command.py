"""`watcher ARGUMENTS` in a process that exits before its Nth SQL statement.

Run with `python -m tests.sweep.killed_command N ARGUMENTS`. It exits with `os._exit`, like a kill: no transaction is
rolled back, no `finally` block runs, and nothing is flushed.
"""

import os
import sys

from tests.sweep.statements import before_each_statement
from watcher import cli

KILLED_STATUS = 137


def main() -> None:
    """Run the command. It ends normally if it has fewer than N statements, or if N is 0."""
    kill_before = int(sys.argv.pop(1))

    def step(number: int) -> None:
        if number == kill_before:
            os._exit(KILLED_STATUS)

    before_each_statement(step)
    cli.main()


if __name__ == "__main__":
    main()
