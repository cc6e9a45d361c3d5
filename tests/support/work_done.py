"""Count the work of a piece of code: SQL statements, transactions, steps of SQLite's virtual machine, Python calls.

The numbers depend on the code and the data alone, not on the machine, so a test can compare them exactly.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event

_STEPS = 100
"""SQLite reports its progress each time it has run so many instructions."""


@dataclass(slots=True, kw_only=True)
class Work:
    """What was done. `sql_steps` are hundreds of instructions, and `calls` are those of functions in this thread."""

    statements: int = 0
    commits: int = 0
    sql_steps: int = 0
    calls: int = 0


@contextmanager
def counted(engine: Engine) -> Iterator[Work]:
    """Count what is done in the block with this database, and by Python in this thread."""
    work = Work()

    def statement(*_: Any) -> None:
        work.statements += 1

    def commit(_: Any) -> None:
        work.commits += 1

    def step() -> int:
        work.sql_steps += 1
        return 0

    def connected(connection: Any, *_: Any) -> None:
        if hasattr(connection, "set_progress_handler"):  # SQLite
            connection.set_progress_handler(step, _STEPS)

    def call(_frame: Any, kind: str, _argument: Any) -> None:
        work.calls += kind == "call"

    listeners = (("before_cursor_execute", statement), ("commit", commit), ("checkout", connected))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    before = sys.getprofile()
    sys.setprofile(call)
    try:
        yield work
    finally:
        sys.setprofile(before)
        for name, listener in listeners:
            event.remove(engine, name, listener)
