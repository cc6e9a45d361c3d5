"""One line of an examination."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing was found. `warning`: it works, and deserves a thought."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, how it was found, and, where it is not well, what to do. Never holds a secret."""

    about: str
    verdict: Verdict
    text: str
    remedy: str | None = None


def ok(about: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(about=about, verdict=Verdict.OK, text=text)


def warning(about: str, text: str, remedy: str) -> Finding:
    """It works, for now."""
    return Finding(about=about, verdict=Verdict.WARNING, text=text, remedy=remedy)


def failed(about: str, text: str, remedy: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(about=about, verdict=Verdict.FAILED, text=text, remedy=remedy)
