"""What the case numbers of an official site look like, and the check letters in them. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from watcher.messages import _, mark

_NIE: Final = re.compile(r"([XYZ])([0-9]{7})([A-Z])")
_NIE_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_OAM: Final = re.compile(
    r"OAM-[1-9][0-9]{0,6}(?:-[1-9][0-9]{0,2})?/(?:CD|DO|DP|DV|MK|PP|ST|TP|VP|ZK|ZM)-(?:19|20)[0-9]{2}"
)
_ZOV: Final = re.compile(r"[A-Z]{4}[0-9]{9,12}")
_UUID: Final = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberForm:
    """The form of a site's case numbers. `says` describes it to a person; `fault` returns what is wrong, or ""."""

    says: str
    fault: Callable[[str], str]


def _of_pattern(pattern: str, says: str) -> NumberForm:
    """Return the form of a pattern, for a number in capitals without spaces and dashes."""
    compiled = re.compile(pattern)

    def fault(number: str) -> str:
        return "" if compiled.fullmatch(_bare(number)) else _(says)

    return NumberForm(says=says, fault=fault)


def _bare(number: str) -> str:
    return re.sub(r"[\s-]", "", number).upper()


def _nie_fault(number: str) -> str:
    """Return what is wrong with a NIE, or with the number of a file, which has no check."""
    bare = _bare(number)
    nie = _NIE.fullmatch(bare)
    if nie is None:
        return "" if re.fullmatch(r"[0-9/]{5,24}", bare) else _(_NIE_SAYS)
    expected = nie_letter(nie[1], nie[2])
    return (
        "" if nie[3] == expected else _("the letter at the end should be {letter}; check the digits", letter=expected)
    )


def nie_letter(first: str, digits: str) -> str:
    """Return the check letter of a NIE that begins with X, Y, or Z and has seven digits."""
    return _NIE_LETTERS[int(f"{'XYZ'.index(first)}{digits}") % len(_NIE_LETTERS)]


def _czech_fault(number: str) -> str:
    text = "".join(number.split()).upper()
    return "" if _OAM.fullmatch(text) or _ZOV.fullmatch(_bare(number)) else _(_CZECH_SAYS)


def _inpol_fault(number: str) -> str:
    """Return what is wrong with a number of inPOL: a UUID, or a file number, which has digits."""
    text = "".join(number.split()).upper()
    looks_like_uuid = text.count("-") == 4 and re.fullmatch(r"[0-9A-Z-]+", text) and len(text) > 30  # noqa: PLR2004
    is_known = _UUID.fullmatch(text) if looks_like_uuid else re.search(r"[0-9]{3}", text)
    return "" if is_known else _(_INPOL_SAYS)


_NIE_SAYS: Final = mark("your NIE, such as X1234567L, or the digits of the file number")
_CZECH_SAYS: Final = mark("a number such as OAM-12345/TP-2026, or four letters and 9 to 12 digits (ŽOV)")
_INPOL_SAYS: Final = mark(
    "the number of the proceedings: a file number with digits, or the number in the page's address"
)

NIE: Final = NumberForm(says=_NIE_SAYS, fault=_nie_fault)
CZECH: Final = NumberForm(says=_CZECH_SAYS, fault=_czech_fault)
INPOL: Final = NumberForm(says=_INPOL_SAYS, fault=_inpol_fault)
ACCESS_CODE: Final = _of_pattern(
    r"[0-9]{12}", mark("the access code of your process: 12 digits, such as 1234-5678-9012")
)
A_NUMBER: Final = _of_pattern(r"A?[0-9]{7,9}", mark("your A-Number: seven to nine digits"))
RECEIPT: Final = _of_pattern(r"[A-Z]{3}[0-9*][0-9]{9}", mark("your receipt number: three letters and ten digits"))
