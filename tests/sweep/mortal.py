"""`watcher WORDS` in a process that dies before its Nth SQL statement: `python -m tests.sweep.mortal N WORDS`.

Death is `os._exit`: no transaction is rolled back in an orderly way, no `finally` runs, nothing is flushed.
"""

import os
import sys
from itertools import count
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from watcher import cli

DEATH = 137


def main() -> None:
    """Lives on where there are fewer statements than N; N of 0 is never reached."""
    die_before = int(sys.argv.pop(1))
    statements = count(1)

    def step(*_: Any) -> None:
        if next(statements) == die_before:
            os._exit(DEATH)

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    cli.main()


if __name__ == "__main__":
    main()
