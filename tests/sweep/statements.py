"""What a command does before each of its SQL statements."""

from collections.abc import Callable
from itertools import count
from threading import Lock

from sqlalchemy import event
from sqlalchemy.engine import Engine


def before_each_statement(act: Callable[[int], None]) -> None:
    """Call `act` with 1, 2, 3… before each statement and commit of this process, never twice at the same time."""
    numbers, one_at_a_time = count(1), Lock()

    def step(*_: object) -> None:
        with one_at_a_time:
            act(next(numbers))

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
