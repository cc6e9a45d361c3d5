"""The result of one check."""

from dataclasses import dataclass
from enum import StrEnum


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


def ok(about: str, text: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(about=about, verdict=Verdict.OK, text=text)


def warning(about: str, text: str, remedy: str) -> Finding:
    """Return a finding about something that works for now."""
    return Finding(about=about, verdict=Verdict.WARNING, text=text, remedy=remedy)


def failed(about: str, text: str, remedy: str) -> Finding:
    """Return a finding about something that does not work or is not safe."""
    return Finding(about=about, verdict=Verdict.FAILED, text=text, remedy=remedy)
