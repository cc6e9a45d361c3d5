"""A clock that a soak moves, ahead and back."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class LeapingClock:
    """Goes on by itself only when told, and now and then leaps."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.moment).total_seconds()
