"""A clock that moves only while somebody waits, and what happens at given moments meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Waiting:
    """`plans` are carried out when the wait has come to them; the program ends at `ends_at`."""

    def __init__(self) -> None:
        self.time = NOON
        self.plans: list[tuple[datetime, Callable[[], None]]] = []
        self.ends_at: datetime | None = None

    def now(self) -> datetime:
        return self.time

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.time).total_seconds()

    def wait(self, seconds: float) -> bool:
        self.time += timedelta(seconds=seconds)
        due = [act for at, act in self.plans if at <= self.time]
        self.plans = [plan for plan in self.plans if plan[0] > self.time]
        for act in due:
            act()
        return self.ends_at is not None and self.time >= self.ends_at
