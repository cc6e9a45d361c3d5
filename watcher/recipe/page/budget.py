"""The time that searching one answer may take, so that no answer and no recipe can stop the program."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from watcher.errors import UnexpectedAnswer
from watcher.messages import _

SECONDS: Final = 10.0
"""For all selectors on one answer together. An ordinary page takes milliseconds."""


class OutOfTime(UnexpectedAnswer):
    """An answer that takes too long to search. It ends the check, because the other answers are like it."""

    def __init__(self, message: str = "") -> None:
        """The message may name the selector."""
        super().__init__(
            message
            or _(
                "searching the answer takes longer than {limit} seconds; use simpler selectors", limit=f"{SECONDS:.0f}"
            )
        )


class Budget:
    """The seconds (monotonic) that are left."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Start with all of them."""
        self._left = seconds

    @contextmanager
    def spend(self) -> Iterator[float]:
        """Count the time of the block, which gets the moment (monotonic) at which it must end.

        Raises `OutOfTime` before the block if no time is left, and after it if the block took too long.
        """
        started = time.monotonic()
        self._check()
        try:
            yield started + self._left
        finally:
            self._left -= time.monotonic() - started
        self._check()

    def _check(self) -> None:
        if self._left <= 0:
            raise OutOfTime
