"""When to remind a person to check a portal themselves. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MIN_REPEAT = timedelta(days=1)
"""The shortest time after which an unanswered reminder is repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualChecks:
    """When a person last recorded the status of a case, and when they were last reminded to do so.

    Times are aware, in UTC; None stands for never.
    """

    checked_at: datetime | None
    reminded_at: datetime | None


def next_reminder(checks: ManualChecks, *, every: timedelta) -> datetime | None:
    """Return when the next reminder is due; None if it is due now, because there was neither a check nor a reminder.

    A reminder is due `every` after a check. An unanswered one is repeated after `every` or a day, whichever is longer.
    """
    checked, reminded = checks.checked_at, checks.reminded_at
    if reminded is not None and (checked is None or checked < reminded):
        return reminded + max(every, MIN_REPEAT)
    return None if checked is None else checked + every
