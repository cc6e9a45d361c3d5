"""Waiting for another process or thread to get somewhere; in real time, for there is no other."""

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds. What takes longer does not come."""


def eventually(true: Callable[[], object], *, within: float = PATIENCE) -> bool:
    """Whether it comes true."""
    end = time.monotonic() + within
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
