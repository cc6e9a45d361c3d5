"""The priority date of an immigrant's case: which line of the visa bulletin it is compared with."""

import re
from dataclasses import dataclass
from datetime import date

CATEGORIES = ("F1", "F2A", "F2B", "F3", "F4", "EB1", "EB2", "EB3", "EW", "EB4", "EB4_RW")
"""The categories that the bulletin always has. Those of EB5 change, and are written `EB5_UNRESERVED`, `EB5_RURAL`."""

REST_OF_WORLD = "ROW"
"""The column of every country that has none of its own."""

LISTED_COUNTRIES = frozenset({"CN", "IN", "MX", "PH"})
"""The countries that always have a column of their own."""

_EB5 = re.compile("EB5_[A-Z0-9_]{1,40}")
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """What the user says: the category, the country of chargeability (two letters, or `ROW`), and the priority date."""

    category: str
    country: str
    day: date

    @property
    def kind(self) -> str:
        """`family` or `employment`."""
        return "family" if self.category.startswith("F") else "employment"


def category_of(typed: str) -> str | None:
    """Return a category as the bulletin's data set writes it: `EB-2` is `EB2`. None if there is none like it."""
    text = re.sub(r"[\s-]+", "_", typed.strip().upper())
    text = re.sub(r"^(EB|F)_", r"\1", text)
    return text if text in CATEGORIES or _EB5.fullmatch(text) else None


def country_of(typed: str) -> str | None:
    """Return a country's two letters, or `ROW`; None for anything else."""
    text = typed.strip().upper()
    return text if text == REST_OF_WORLD or _COUNTRY.fullmatch(text) else None
