"""USCIS event and action codes: published readings as hints, and the few codes about requests that need an answer.

A code never sets the stage of a case; the status title does. A code can reveal a request: a missed request for
evidence can cost the applicant the case, so a code for one counts even if the title lags behind.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib import resources

from watcher.model.case import ItemKind

_PUBLISHED = "uscis_action_codes.tsv"
_OBSERVED = "uscis_observed_codes.tsv"


class CodeMeaning(Enum):
    """What a code says about a request: it was sent, a reminder was sent, or it was answered."""

    ASKED = "asked"
    REMINDED = "reminded"
    ANSWERED = "answered"


_ASKED_CODES = {
    ItemKind.RFE: frozenset({"FA", "FB0", "FBA", "FBB", "FBC", "IK", "IKA", "IKE", "IKP", "RFE0"}),
    ItemKind.INTENT_TO_DENY: frozenset(
        {"FC", "FCA0", "FCB0", "FD", "FE", "II", "IU", "IV", "IYA", "NI", "NOID"},
    ),
}
_REMINDED_CODES = {ItemKind.RFE: frozenset({"IKF"})}
_ANSWERED_CODES = frozenset({"HA", "HAP"})

ANNOUNCING_CODES: Mapping[str, ItemKind] = {
    "FJ": ItemKind.INTERVIEW,
    "FM": ItemKind.INTERVIEW,
    "IM": ItemKind.INTERVIEW,
    "IMAF": ItemKind.BIOMETRICS,
}
"""Codes of an appointment that was scheduled or rescheduled, or whose notice was sent (published code list)."""
RESCHEDULING_CODE = "FM"
"""The code of a rescheduled interview."""
INTERVIEW_CANCELLED_CODES = frozenset({"FKA", "FKB", "IXAA", "IXAB"})
"""Codes of a cancelled interview."""


def meaning_of_code(code: str, kind: ItemKind) -> CodeMeaning | None:
    """Return what `code` says about a request of `kind` (for evidence, or an intent to deny, revoke, or rescind).

    A response code answers any open request, of either kind.
    """
    if code in _ASKED_CODES.get(kind, ()):
        return CodeMeaning.ASKED
    if code in _REMINDED_CODES.get(kind, ()):
        return CodeMeaning.REMINDED
    return CodeMeaning.ANSWERED if kind in _ASKED_CODES and code in _ANSWERED_CODES else None


def hint(code: str) -> str | None:
    """Return a reading of `code`, labeled with its source, or None if neither list has the code."""
    if (published := _readings(_PUBLISHED).get(code)) is not None:
        return f"published code list: {published}"
    if (observed := _readings(_OBSERVED).get(code)) is not None:
        return f"not in the published code list; {observed}"
    return None


@cache
def _readings(name: str) -> dict[str, str]:
    text = resources.files("watcher.language").joinpath("vocabulary", name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")][1:]
    return dict(line.split("\t", 1) for line in lines)
