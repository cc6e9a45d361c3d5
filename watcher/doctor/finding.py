"""The result of one check."""

from dataclasses import dataclass
from enum import StrEnum

from watcher.messages import _


class Verdict(StrEnum):
    """How serious a finding is. `warning`: it works but needs attention."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was checked, its verdict, and how to fix it if necessary. Never holds a secret."""

    about: str
    verdict: Verdict
    text: str
    remedy: str | None = None


def about_account(name: str) -> str:
    """Return how findings name an account."""
    return _("account {name}", name=name)


def about_channel(name: str) -> str:
    """Return how findings name a channel."""
    return _("channel {name}", name=name)


def about_secret(key: str) -> str:
    """Return how findings name a secret."""
    return _("secret {key}", key=key)


def ok(about: str, text: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(about=about, verdict=Verdict.OK, text=text)


def warning(about: str, text: str, remedy: str) -> Finding:
    """Return a finding about something that works for now."""
    return Finding(about=about, verdict=Verdict.WARNING, text=text, remedy=remedy)


def failed(about: str, text: str, remedy: str) -> Finding:
    """Return a finding about something that does not work or is not safe."""
    return Finding(about=about, verdict=Verdict.FAILED, text=text, remedy=remedy)
