"""A clock that a soak test sets ahead and back."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class LeapingClock:
    """Advances only when set, and sometimes jumps."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.moment).total_seconds()
