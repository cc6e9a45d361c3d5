"""When an account is checked next: after its interval, together with other accounts where possible. Pure.

A daemon starts a process for its checks, which takes more time than a check itself. Accounts that are due within the
jitter of each other share one, and stay together.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

_APART = timedelta(seconds=20)
"""At most so long after another account, so that not all of them visit their portals in the same second."""


def next_check(earliest: datetime, jitter: timedelta, others: Iterable[datetime], random: Random) -> datetime:
    """Return a moment from `earliest` on, at most `jitter` later. `others` are when other accounts are due."""
    latest = earliest + jitter
    shared = min((moment for moment in others if earliest <= moment <= latest), default=None)
    if shared is None:  # leave time for the accounts that are checked right after this one
        return earliest + jitter * random.uniform(0.25, 1)
    return min(shared + _APART * random.random(), latest)
