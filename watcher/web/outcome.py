"""The result of an action."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an action: what to say, or why it was refused, or what the person must confirm first.

    `days` are the dates that a letter names. `token` is that of the device that was signed in.
    """

    texts: tuple[str, ...] = ()
    refused: str = ""
    confirm: str = ""
    days: tuple[date, ...] = ()
    token: str = ""
