"""What a check needs from outside, for a check on recorded answers: nothing is saved, counted, or asked."""

from collections.abc import Callable
from datetime import datetime
from threading import Event

from watcher.clock import SystemClock
from watcher.portal import PortalContext

_CODE = "000000"


class _NoSession:
    def load(self) -> bytes | None:
        """Return None: every check on recorded answers signs in."""
        return None

    def save(self, content: bytes) -> None:
        """Save nothing."""

    def delete(self) -> None:
        """Delete nothing."""

    def update(self, change: Callable[[bytes | None], bytes | None]) -> None:
        """Save nothing."""


class _NoGuard:
    def before_submission(self, *, counts: bool = True) -> None:
        """Permit it: nothing is sent."""

    def accepted(self) -> None:
        """Record nothing."""


class _NoQuota:
    def take(self, requests: int, *, daily_limit: int, day: str) -> int:
        """Grant all: nothing is sent."""
        del daily_limit, day
        return requests

    def give_back(self, requests: int, *, day: str) -> None:
        """Count nothing."""


class _AnyCode:
    def code(self, *, asked_at: datetime) -> str:
        """Return a made-up code."""
        del asked_at
        return _CODE


def offline_context() -> PortalContext:
    """Return the context of a check on recorded answers."""
    return PortalContext(
        clock=SystemClock(),
        language="en",
        quota=_NoQuota(),
        session=_NoSession(),
        sign_in_guard=_NoGuard(),
        codes=_AnyCode(),
        stop=Event(),
    )
