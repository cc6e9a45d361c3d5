"""Wait for other processes and threads, in real time."""

import time
from collections.abc import Callable

TIMEOUT = 60.0
"""Seconds."""


def eventually(condition: Callable[[], object], *, within: float = TIMEOUT, every: float = 0.05) -> bool:
    """Return whether the condition becomes true within `within` seconds. `every` is the time between two looks."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True
