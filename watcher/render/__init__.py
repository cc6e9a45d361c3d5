"""The words of an alert, and of the history. Pure: nothing here looks anything up, sends or stores."""

from zoneinfo import ZoneInfo

from watcher.change import Change
from watcher.render.alert import render
from watcher.render.doubt import perhaps_told
from watcher.render.gathered import render_digest, render_flood
from watcher.render.lines import line_of
from watcher.render.masking import mask_case_number, mask_numbers
from watcher.render.teller import Privacy, Teller
from watcher.words import catalogue

__all__ = [
    "Privacy",
    "mask_case_number",
    "mask_numbers",
    "perhaps_told",
    "render",
    "render_digest",
    "render_flood",
    "summarize",
]

_UTC = ZoneInfo("UTC")


def summarize(change: Change, language: str, *, zone: ZoneInfo = _UTC) -> str:
    """What happened, in one line for the history, without the case number. Times are told in `zone`."""
    return line_of(change, Teller(words=catalogue(language), zone=zone, privacy="full"))
