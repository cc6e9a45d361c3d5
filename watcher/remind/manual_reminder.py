"""When a person is to be reminded to look at a portal themselves. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_OFTEN = timedelta(days=1)
"""A reminder that nobody has answered is not repeated sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualChecks:
    """When a person last looked at a case and recorded what they saw, and when they were last reminded of it.

    Times are aware, UTC; None: never.
    """

    looked_at: datetime | None
    reminded_at: datetime | None


def next_reminder(looks: ManualChecks, *, every: timedelta) -> datetime | None:
    """When the next reminder is due; None: at once, because nobody has ever looked or been reminded.

    After a look it is due `every` later. An unanswered one is repeated after `every` too, but not within a day.
    """
    looked, reminded = looks.looked_at, looks.reminded_at
    if reminded is not None and (looked is None or looked < reminded):
        return reminded + max(every, MOST_OFTEN)
    return None if looked is None else looked + every
