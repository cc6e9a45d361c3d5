"""USCIS event and action codes: published readings as hints, and the few codes that say that somebody must answer.

A code never gives a case its stage; the title of the status does. What a code may do is ask: a request for evidence
that is missed costs the applicant the case, so a code that stands for one counts even where the title lags behind.
"""

from enum import Enum
from functools import cache
from importlib import resources

from watcher.model.case import ItemKind

_PUBLISHED = "uscis_action_codes.tsv"
_OBSERVED = "uscis_observed_codes.tsv"


class CodeMeaning(Enum):
    """What a code says about a request: that it was made, that it was called to mind, that it was answered."""

    ASKED = "asked"
    REMINDED = "reminded"
    ANSWERED = "answered"


_ASKING = {
    ItemKind.RFE: frozenset({"FA", "FB0", "FBA", "FBB", "FBC", "IK", "IKE", "IKP", "RFE0"}),
    ItemKind.INTENT_TO_DENY: frozenset(
        {"FC", "FCA0", "FCB0", "FD", "FE", "II", "IU", "IV", "IYA", "NI", "NOID"},
    ),
}
_REMINDING = {ItemKind.RFE: frozenset({"IKF"})}
_ANSWERING = frozenset({"HA", "HAP"})

CANCELLING = frozenset({"FKA", "FKB", "IXAA", "IXAB"})
"""Codes of a cancelled interview."""


def meaning_of_code(code: str, kind: ItemKind) -> CodeMeaning | None:
    """What `code` says about a request of `kind` (a request for evidence, or an intent to deny, revoke or rescind).

    A response answers whichever request is open, of either kind.
    """
    if code in _ASKING.get(kind, ()):
        return CodeMeaning.ASKED
    if code in _REMINDING.get(kind, ()):
        return CodeMeaning.REMINDED
    return CodeMeaning.ANSWERED if kind in _ASKING and code in _ANSWERING else None


def hint(code: str) -> str | None:
    """A reading of `code`, labelled with where it comes from; None for a code that neither list has."""
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
