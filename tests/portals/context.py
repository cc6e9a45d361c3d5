"""In-memory fakes of everything in a `PortalContext`. They behave like the real ones, and tests can inspect them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

from watcher.errors import CodeNeeded, SignInRejected
from watcher.portal import PortalContext

NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
"""Noon in New York."""


@dataclass(slots=True)
class FakeClock:
    current: datetime = NOON

    def now(self) -> datetime:
        return self.current

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.current).total_seconds()


@dataclass(slots=True)
class InMemoryQuota:
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
class InMemorySession:
    content: bytes | None = None

    def load(self) -> bytes | None:
        return self.content

    def save(self, content: bytes) -> None:
        self.content = content

    def delete(self) -> None:
        self.content = None

    def update(self, change: Callable[[bytes | None], bytes | None]) -> None:
        self.content = change(self.content)


@dataclass(slots=True)
class FakeSignInGuard:
    rejects: bool = False
    submissions: list[bool] = field(default_factory=list)
    acceptances: int = 0

    def before_submission(self, *, counts: bool = True) -> None:
        if self.rejects:
            raise SignInRejected("rejected before")
        self.submissions.append(counts)

    def accepted(self) -> None:
        self.acceptances += 1


class NoCodes:
    def code(self, *, asked_at: datetime) -> str:
        raise CodeNeeded(f"no code available at {asked_at}")


@dataclass(slots=True, kw_only=True)
class PortalFakes:
    """Fakes that keep their state across several checks."""

    clock: FakeClock = field(default_factory=FakeClock)
    quota: InMemoryQuota = field(default_factory=InMemoryQuota)
    session: InMemorySession = field(default_factory=InMemorySession)
    sign_in_guard: FakeSignInGuard = field(default_factory=FakeSignInGuard)
    stop: Event = field(default_factory=Event)

    def advance(self, duration: timedelta) -> None:
        self.clock.current += duration

    def context(self, language: str = "en") -> PortalContext:
        return PortalContext(
            clock=self.clock,
            language=language,
            quota=self.quota,
            session=self.session,
            sign_in_guard=self.sign_in_guard,
            codes=NoCodes(),
            stop=self.stop,
        )
