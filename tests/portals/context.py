"""What a portal is handed, in memory: the same promises as the real ones, and open to a look afterwards."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

from watcher.errors import CodeNeeded, SignInRejected
from watcher.portal import PortalContext

NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
"""Noon on the clocks of New York."""


@dataclass(slots=True)
class HandSetClock:
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.moment).total_seconds()


@dataclass(slots=True)
class QuotaInMemory:
    used: dict[str, int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def take(self, requests: int, *, daily_limit: int, day: str) -> int:
        with self.lock:
            granted = max(0, min(requests, daily_limit - self.used.get(day, 0)))
            self.used[day] = self.used.get(day, 0) + granted
        return granted

    def give_back(self, requests: int, *, day: str) -> None:
        with self.lock:
            self.used[day] -= requests


@dataclass(slots=True)
class SessionInMemory:
    content: bytes | None = None

    def load(self) -> bytes | None:
        return self.content

    def save(self, content: bytes) -> None:
        self.content = content

    def forget(self) -> None:
        self.content = None


@dataclass(slots=True)
class Gate:
    closed: bool = False
    submissions: list[bool] = field(default_factory=list)
    accepted_ones: int = 0

    def before_submission(self, *, counts: bool = True) -> None:
        if self.closed:
            raise SignInRejected("rejected before")
        self.submissions.append(counts)

    def accepted(self) -> None:
        self.accepted_ones += 1


class NoCodes:
    def code(self, *, asked_at: datetime) -> str:
        raise CodeNeeded(f"nobody was there at {asked_at}")


@dataclass(slots=True, kw_only=True)
class World:
    """The same world across several reads."""

    clock: HandSetClock = field(default_factory=HandSetClock)
    quota: QuotaInMemory = field(default_factory=QuotaInMemory)
    session: SessionInMemory = field(default_factory=SessionInMemory)
    gate: Gate = field(default_factory=Gate)
    stop: Event = field(default_factory=Event)

    def pass_time(self, span: timedelta) -> None:
        self.clock.moment += span

    def surroundings(self, language: str = "en") -> PortalContext:
        return PortalContext(
            clock=self.clock,
            language=language,
            quota=self.quota,
            session=self.session,
            sign_in_guard=self.gate,
            codes=NoCodes(),
            stop=self.stop,
        )
